"""What an admin asks of the bot on its page."""

from collections.abc import Iterator
from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm, dress
from dashboard.models import DiscordChannel

WITHOUT_MESSAGES = ("category", "forum", "media")


class ChannelForm(DashboardForm):
    """Something for a channel of Discord: where."""

    channel = forms.TypedChoiceField(
        coerce=int, label="Channel", help_text="Of the servers that the bot is in."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["channel"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = list(channels_by_guild())
        dress(self)

    @property
    def has_channels(self) -> bool:
        field = self.fields["channel"]
        assert isinstance(field, forms.TypedChoiceField)
        return bool(field.choices)


class SayForm(ChannelForm):
    """A test message: where, and what."""

    text = forms.CharField(
        label="Message",
        max_length=2000,
        initial="Hello! This is a test from the dashboard.",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Nobody is mentioned by it, whatever it says.",
    )


def channels_by_guild() -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """The channels of each server under its name, as a select groups them."""
    channels = DiscordChannel.objects.filter(
        guild__isnull=False, guild__left_at=None, gone_at=None, parent=None
    ).exclude(kind__in=WITHOUT_MESSAGES)
    groups: dict[str, list[tuple[int, str]]] = {}
    for channel in channels.select_related("guild").order_by("guild__name", "position", "name"):
        assert channel.guild is not None
        groups.setdefault(channel.guild.name, []).append((channel.pk, f"#{channel.name}"))
    yield from groups.items()
