"""Who and where on Discord, as far as conversations need it; and who failed to sign in."""

from django.db import models


class Access(models.TextChoices):
    """Whether the bot answers in a channel, or the holders of a role.

    What is denied is not answered. Where anything of a kind is allowed by
    name, only that is.
    """

    INHERIT = "", "Not named"
    ALLOW = "allow", "Allowed"
    DENY = "deny", "Denied"


class DiscordUser(models.Model):
    """A person on Discord, known by the id that never changes."""

    discord_user_id = models.BigIntegerField(unique=True, help_text="Discord's own id")
    name = models.CharField(max_length=100, help_text="Display name when last seen")
    language = models.CharField(
        max_length=35, blank=True, help_text="Language tag they chose, such as ru-RU"
    )
    is_heard = models.BooleanField(
        default=True, help_text="Whether the bot may listen to them in calls; theirs to say"
    )
    first_seen_at = models.DateTimeField(auto_now_add=True, help_text="When first met")

    def __str__(self) -> str:
        return self.name


class DiscordGuild(models.Model):
    """A Discord server that the bot is in, or was."""

    discord_guild_id = models.BigIntegerField(unique=True, help_text="Discord's own id")
    name = models.CharField(max_length=100, help_text="Name when last seen")
    left_at = models.DateTimeField(
        null=True, blank=True, help_text="When the bot was last seen to be no longer in it"
    )

    def __str__(self) -> str:
        return self.name


class DiscordChannel(models.Model):
    """A channel of a guild, or a direct-message channel (then without guild)."""

    discord_channel_id = models.BigIntegerField(unique=True, help_text="Discord's own id")
    guild = models.ForeignKey(
        DiscordGuild,
        null=True,
        on_delete=models.CASCADE,
        related_name="channels",
        help_text="Where the channel is; empty for direct messages",
    )
    parent = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="threads",
        help_text="The channel that a thread belongs to; its settings count for the thread, too",
    )
    name = models.CharField(max_length=100, help_text="Name when last seen")
    kind = models.CharField(
        max_length=20, blank=True, help_text="What Discord calls it: text, forum, voice, ..."
    )
    category = models.CharField(
        max_length=100, blank=True, help_text="The heading above it in Discord's list"
    )
    position = models.IntegerField(
        default=0, help_text="Place in Discord's list, counted over all categories"
    )
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="When it was last seen to be deleted"
    )
    access = models.CharField(
        max_length=5, choices=Access, blank=True, default="", help_text="Whether it answers there"
    )

    def __str__(self) -> str:
        return f"#{self.name}" if self.guild_id else self.name


class FailedSignIn(models.Model):
    """A try to sign in that has not shown the right password. Kept for minutes only."""

    name_key = models.CharField(max_length=64, help_text="Keyed hash of the name that was typed")
    address = models.CharField(max_length=45, help_text="Where from: an IPv4 or IPv6 address")
    failed_at = models.DateTimeField(auto_now_add=True, db_index=True, help_text="When")

    def __str__(self) -> str:
        return f"{self.address} at {self.failed_at:%H:%M:%S}"
