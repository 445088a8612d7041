"""Voice channels: who is heard in a call, and what is said there."""
