"""One `manage.py runbot`: alone with its shards, connected, heard of, ended cleanly."""

from botrunner.process.life import BotProcess, LoginRefused, Wishes

__all__ = ["BotProcess", "LoginRefused", "Wishes"]
