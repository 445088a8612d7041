"""Which account of the dashboard and which Discord user are one person, and how that is shown."""

from django.conf import settings
from django.db import models


class DiscordLink(models.Model):
    """An account and a Discord user that are one person. It permits nothing.

    Only `services.links` makes and deletes it.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="discord_link",
        help_text="Who, on the dashboard",
    )
    discord_user = models.OneToOneField(
        "dashboard.DiscordUser",
        on_delete=models.CASCADE,
        related_name="account_link",
        help_text="Who, on Discord",
    )
    made_at = models.DateTimeField(auto_now_add=True, help_text="Since when")

    def __str__(self) -> str:
        return f"{self.user} is {self.discord_user} on Discord"


class LinkCode(models.Model):
    """The newest code with which a Discord user can show whose account they have. Works once."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Whose account",
    )
    digest = models.CharField(
        max_length=64, unique=True, help_text="Keyed hash of the code, which is stored nowhere"
    )
    expires_at = models.DateTimeField(help_text="When it stops working")
    used_at = models.DateTimeField(null=True, help_text="When it was used")

    def __str__(self) -> str:
        return f"Code of {self.user}"


class LinkTry(models.Model):
    """A code that somebody gave and that linked nothing. Kept for minutes only."""

    discord_user = models.ForeignKey(
        "dashboard.DiscordUser",
        on_delete=models.CASCADE,
        related_name="+",
        help_text="Who gave it",
    )
    tried_at = models.DateTimeField(auto_now_add=True, db_index=True, help_text="When")

    def __str__(self) -> str:
        return f"{self.discord_user} at {self.tried_at:%H:%M:%S}"
