"""What all processes of one bot share about Discord's gateway and commands."""

from django.db import models


class IdentifySlot(models.Model):
    """When the bot may next introduce itself to Discord's gateway, and how often it did lately.

    Discord takes one IDENTIFY in five seconds from each `shard_id % max_concurrency`,
    and resets the token of a bot that sends more than a thousand a day.
    """

    bucket = models.PositiveSmallIntegerField(
        unique=True, help_text="shard_id % max_concurrency; 0 without shards"
    )
    free_at = models.DateTimeField(help_text="Not before")
    counted_from = models.DateTimeField(help_text="Since when the day is counted")
    n_in_day = models.PositiveIntegerField(default=0, help_text="Times in the 24 hours since")

    def __str__(self) -> str:
        return f"IDENTIFY bucket {self.bucket}"


class SyncedCommands(models.Model):
    """Which commands Discord knows of an application, so that they are sent only when changed."""

    application_id = models.BigIntegerField(unique=True, help_text="Discord's own id")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the commands as sent")
    synced_at = models.DateTimeField(auto_now=True, help_text="When Discord took them")

    def __str__(self) -> str:
        return f"Commands of application {self.application_id}"
