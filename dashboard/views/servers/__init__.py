"""The Discord servers that the bot is in: how it answers there, for whom, and at what cost."""
