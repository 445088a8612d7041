"""How the bot listens and speaks on one server."""

from collections.abc import Sequence
from typing import Any, Final

from django import forms

from dashboard.forms.look import dress
from dashboard.models import VoiceSettings
from dashboard.services import voices
from dashboard.services.voices import Choice

MINUTE_S: Final = 60
ALONE: Final = (
    (MINUTE_S, "After a minute"),
    (5 * MINUTE_S, "After 5 minutes"),
    (15 * MINUTE_S, "After 15 minutes"),
    (60 * MINUTE_S, "After an hour"),
    (0, "Never: it stays"),
)


class VoiceForm(forms.ModelForm[VoiceSettings]):
    """Chains keep the order in which a page sends them."""

    recognizers = forms.MultipleChoiceField(required=False, label="Who hears")
    synthesizers = forms.MultipleChoiceField(required=False, label="Who speaks")
    leaves_after_s = forms.TypedChoiceField(
        coerce=int,
        label="Leaves when alone",
        help_text="How long it waits in a call that everybody else has left.",
    )

    class Meta:
        model = VoiceSettings
        fields = (
            "recognizers",
            "synthesizers",
            "voice",
            "speaks",
            "wake_name",
            "needs_wake_name",
            "can_be_interrupted",
            "leaves_after_s",
            "keeps_audio_days",
        )
        labels = {
            "speaks": "Speaks its answers",
            "wake_name": "Called",
            "needs_wake_name": "Answers only when called by name",
            "can_be_interrupted": "Falls silent when somebody speaks",
            "keeps_audio_days": "Days to keep recordings",
        }
        help_texts = {
            "voice": "Of the first who speaks. Empty takes its own; those who step in use theirs.",
            "speaks": "In text channels, as a voice message beside the text. In a call it always speaks.",
            "wake_name": "What people say to address it in a call.",
            "needs_wake_name": (
                "With two or more people in a call. Alone with one person it always answers."
            ),
            "can_be_interrupted": (
                "Within a fifth of a second of real speech; an “mm-hm” does not stop it. "
                "It remembers only what was heard."
            ),
            "keeps_audio_days": "0 stores no sound at all; the words are kept in any case.",
        }
        widgets = {
            "voice": forms.TextInput(attrs={"list": "voices", "placeholder": "its own"}),
            "wake_name": forms.TextInput(attrs={"placeholder": "its own name"}),
            "keeps_audio_days": forms.NumberInput(attrs={"min": "0", "max": "365"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        self.hearing = self._chain("recognizers", voices.who_hear(self._chosen("recognizers")))
        self.speaking = self._chain("synthesizers", voices.who_speak(self._chosen("synthesizers")))
        alone = self.fields["leaves_after_s"]
        assert isinstance(alone, forms.TypedChoiceField)
        known = [seconds for seconds, _ in ALONE]
        own = [(row.leaves_after_s, f"After {row.leaves_after_s} s")]
        alone.choices = [*ALONE, *(own if row.leaves_after_s not in known else [])]
        dress(self)
        for name in ("needs_wake_name", "can_be_interrupted"):
            self.fields[name].widget.attrs["class"] = "toggle toggle-primary"

    def _chosen(self, name: str) -> Sequence[str]:
        """A chain as it was sent, or as it is stored."""
        if self.is_bound:
            sent: list[str] = self.data.getlist(name)  # type: ignore[attr-defined]  # of a request
            return sent
        stored: list[str] = getattr(self.instance, name)
        return stored

    def _chain(self, name: str, choices: list[Choice]) -> list[tuple[Choice, bool]]:
        """Each choice with whether it is chosen, for the page to order."""
        field = self.fields[name]
        assert isinstance(field, forms.MultipleChoiceField)
        field.choices = [(choice.name, choice.label) for choice in choices]
        chosen = self._chosen(name)
        return [(choice, choice.name in chosen) for choice in choices]
