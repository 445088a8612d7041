"""Calls: being in a voice channel, hearing what people say there, and speaking."""
