"""Asking people on Discord which of two answers is better."""

import uuid

from django import forms

from dashboard.forms.bot import ChannelForm
from dashboard.services.suites import polls


class PollForm(ChannelForm):
    """Which pairs of two runs are put to people on Discord: where, how many, for how long."""

    # Of the page that was opened: a form that is sent twice asks once.
    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4, required=False)
    only = forms.ChoiceField(
        label="Which questions",
        choices=[
            (polls.CLEAR, "Those that one model alone gets right"),
            (polls.ALL, "All that they answer differently"),
        ],
    )
    n = forms.IntegerField(
        label="How many", min_value=1, max_value=polls.MOST, initial=3, help_text="One poll each."
    )
    hours = forms.TypedChoiceField(
        coerce=int,
        label="For how long",
        initial=24,
        choices=[
            (hours, f"{hours} h" if hours < 48 else f"{hours // 24} days") for hours in polls.HOURS
        ],
    )
