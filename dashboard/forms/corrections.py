"""What a person writes when they teach the bot or judge what others taught."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from dashboard.forms.look import DashboardForm
from dashboard.models import DiscordGuild
from dashboard.services import corrections
from dashboard.services.corrections import Place

Choices = list[tuple[str, str | list[tuple[str, str]]]]


class VerbatimField(forms.CharField):
    """Text kept as it was typed: browsers send a line end as two characters, we keep one."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, **kwargs)

    def to_python(self, value: Any) -> str:
        return str(super().to_python(value)).replace("\r\n", "\n")


class PlacedForm(DashboardForm):
    """What counts somewhere. Whoever has no choice of places is not asked."""

    place = forms.ChoiceField(
        label="Where it counts",
        required=False,
        help_text="The narrowest place that knows an answer is heard.",
        error_messages={"invalid_choice": "You cannot choose this place. Take one of the list."},
    )

    def __init__(
        self,
        *args: Any,
        actor: User,
        belongs_to: DiscordGuild | None = None,
        now: Place = (None, None),
        **kwargs: Any,
    ) -> None:
        """belongs_to: the server that it came from; now: where it counts while nobody chooses."""
        super().__init__(*args, **kwargs)
        self._now = now
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)  # as declared
        choices = _choices(actor, belongs_to, now)
        if len(choices) == 1 and isinstance(choices[0][1], str):
            del self.fields["place"]
            return
        field.choices = choices
        field.initial = corrections.place_value(*now)
        self.order_fields([*(name for name in self.fields if name != "place"), "place"])

    def chosen_place(self) -> Place:
        """The place that was chosen, or that of before. Raises InvalidInput where it is gone."""
        value = self.cleaned_data.get("place", "")
        return corrections.read_place(value) if value else self._now


def _choices(actor: User, belongs_to: DiscordGuild | None, now: Place) -> Choices:
    choices: Choices = []
    known = set()
    for value, name, channels in corrections.places_for(actor, belongs_to=belongs_to):
        known |= {value, *(each for each, _ in channels)}
        if value.startswith("guild-"):
            choices.append((name, [(value, f"All of {name}"), *channels]))
        else:
            choices.append((value, name))
    value = corrections.place_value(*now)
    if value not in known:
        choices.insert(0, (value, "Where it counts now"))
    return choices


class CorrectForm(PlacedForm):
    """The right answer to a question that was answered wrongly."""

    better_answer = VerbatimField(
        label="The right answer",
        widget=forms.Textarea(attrs={"rows": 4, "autofocus": True}),
        error_messages={"required": "Write the right answer first."},
    )


class TeachForm(PlacedForm):
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


class CommentForm(DashboardForm):
    text = VerbatimField(
        label="Comment",
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "What should others know of it?"}),
        error_messages={"required": "Write the comment first."},
    )
