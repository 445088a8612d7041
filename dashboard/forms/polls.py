"""Asking people on Discord which of two answers is better."""

from typing import Any

from django import forms

from dashboard.forms.bot import channels_by_guild
from dashboard.forms.look import DashboardForm, dress
from dashboard.services.suites import polls


class PollForm(DashboardForm):
    """Which pairs of two runs are put to people on Discord: where, how many, for how long."""

    channel = forms.TypedChoiceField(coerce=int, label="Channel")
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
