"""What every form of the dashboard shares: daisyUI's classes, and our errors beside the fields."""

from collections.abc import Callable
from typing import Any, TypeVar

from django import forms
from django.forms.widgets import Input

from trainerbot.errors import TrainerBotError

Result = TypeVar("Result")

CLASSES: list[tuple[type[forms.Widget], str]] = [
    (forms.Textarea, "textarea w-full"),
    (forms.Select, "select w-full"),
    (forms.FileInput, "file-input w-full"),
    (forms.CheckboxInput, "checkbox"),
    (Input, "input w-full"),
]


class DashboardForm(forms.Form):
    """A form that looks like the rest, and can say why a service refused."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)

    def attempt(self, act: Callable[[], Result]) -> Result | None:
        """Return what `act` returns, or None after noting its error on the form."""
        try:
            return act()
        except TrainerBotError as error:
            self.add_error(None, str(error))
            return None


class WhyForm(forms.BaseForm):
    """A form that asks for a reason once what was chosen is refused without one."""

    why_id = "id_why"  # another one where a page has two such forms

    def add_why(self) -> None:
        """Take a reason along, without showing where to write it."""
        self.fields["why"] = forms.CharField(
            required=False,
            max_length=2_000,
            label="Why it shall answer all the same",
            widget=forms.HiddenInput(attrs={"id": self.why_id}),
            help_text="Kept in the audit log, with what its tests say.",
        )

    def ask_why(self) -> None:
        """Show where to write the reason."""
        self.fields["why"].widget = forms.TextInput(
            attrs={"class": "input w-full", "id": self.why_id}
        )


def dress(form: forms.BaseForm) -> None:
    """Give each field of `form` the class of its kind, and say aloud which are wrong."""
    for field in form.fields.values():
        for kind, classes in CLASSES:
            if isinstance(field.widget, kind):
                field.widget.attrs.setdefault("class", classes)
                break
