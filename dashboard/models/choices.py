"""What people on Discord chose to work on."""

from django.db import models

from dashboard.models.datasets import Dataset
from dashboard.models.people import DiscordUser


class DatasetChoice(models.Model):
    """The dataset that one person works on in one channel: `train` and `test` take it unnamed.

    In other channels of the same guild the newest choice counts, until there
    is one of their own.
    """

    discord_user = models.ForeignKey(
        DiscordUser, on_delete=models.CASCADE, related_name="choices", help_text="Who chose"
    )
    discord_guild_id = models.BigIntegerField(
        null=True, help_text="Discord's id of the server; empty for direct messages"
    )
    discord_channel_id = models.BigIntegerField(help_text="Discord's id of the channel")
    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="+", help_text="What was chosen"
    )
    positive = models.BooleanField(
        default=True, help_text="Label that was named with it: positive, or negative if off"
    )
    chosen_at = models.DateTimeField(auto_now=True, help_text="When")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["discord_user", "discord_channel_id"], name="datasetchoice_is_one_a_channel"
            )
        ]

    def __str__(self) -> str:
        return f"{self.discord_user} works on {self.dataset}"
