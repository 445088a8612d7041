"""What a person writes when they teach the bot or judge what others taught."""

from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm


class VerbatimField(forms.CharField):
    """Text kept as it was typed: browsers send a line end as two characters, we keep one."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class CorrectForm(DashboardForm):
    """The right answer to a question that was answered wrongly."""

    better_answer = VerbatimField(
        label="The right answer",
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}),
        error_messages={"required": "Write the right answer first."},
    )


class TeachForm(DashboardForm):
    """A question and its right answer, before anybody has asked."""

    question = VerbatimField(
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "When does the library open?"}),
        help_text="As people would ask it. Nearly the same words are recognised, too.",
        error_messages={"required": "Write the question first."},
    )
    better_answer = VerbatimField(
        label="The right answer",
        widget=forms.Textarea(
            attrs={"rows": 4, "placeholder": "At 9 o'clock on weekdays, at 10 on Saturdays."}
        ),
        help_text="Kept and given word for word.",
        error_messages={"required": "Write the right answer first."},
    )


class RejectForm(DashboardForm):
    note = VerbatimField(
        label="Why",
        required=False,
        max_length=1000,
        widget=forms.TextInput(attrs={"autofocus": True, "placeholder": "The hours changed again"}),
        help_text="Optional. Whoever wrote the correction reads it.",
    )
