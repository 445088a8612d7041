"""Training on what people taught: what to press, and what to say before."""

from typing import Any

from django import forms

from dashboard.forms.corrections import VerbatimField
from dashboard.forms.look import DashboardForm
from dashboard.models import DatasetVersion, Suite
from dashboard.services import trainings
from dashboard.services.trainings import offers, permissions

HOLD_OUT = [(0, "none"), (10, "10 of a hundred"), (20, "20 of a hundred")]


class TrainForm(DashboardForm):
    """What a training is to be. Which models and methods exist, only the endpoint knows."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    scope = forms.ChoiceField(
        label="Whose corrections",
        help_text="A server's model also learns what counts everywhere.",
    )
    base_model = forms.CharField(max_length=200)
    way = forms.CharField(max_length=40)
    with_known = forms.BooleanField(
        required=False,
        label="Also what a model learned before",
        help_text="A base model knows none of it, so leave it on unless you go on from a tuned one.",
    )
    hold_out = forms.TypedChoiceField(
        choices=HOLD_OUT,
        coerce=int,
        required=False,
        empty_value="0",
        label="Held out for the test",
        help_text="Not learned, always the same ones: shows what the model makes of questions "
        "that it was never taught. Recall answers them.",
    )
    mixed_in = forms.ModelChoiceField(
        queryset=DatasetVersion.objects.none(),
        required=False,
        empty_label="nothing",
        label="General examples beside",
        help_text="As many as there are corrections, so that the model does not forget the rest.",
    )
    suite_ids = forms.ModelMultipleChoiceField(
        queryset=Suite.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Tested with",
        help_text="The corrections in force are always asked.",
    )
    suffix = forms.CharField(
        max_length=64,
        required=False,
        label="Name",
        widget=forms.TextInput(attrs={"placeholder": "taught"}),
        help_text="Becomes part of the new model's name.",
    )
    again = forms.BooleanField(required=False, label="Train again although nothing is new")

    def __init__(self, data: Any = None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.fields["scope"].choices = [(each.value, each.name) for each in trainings.scopes()]  # type: ignore[attr-defined]  # a ChoiceField, as declared
        self.fields["mixed_in"].queryset = offers.datasets_to_mix()  # type: ignore[attr-defined]  # as above
        self.fields["suite_ids"].queryset = offers.general_suites()  # type: ignore[attr-defined]  # as above


class PermissionForm(DashboardForm):
    permission = VerbatimField(
        label="Discord's permission",
        max_length=permissions.MOST_CHARACTERS,
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": "Granted by Discord on 2026-03-01, ticket 1234"}
        ),
        help_text="Who permitted it, and where that is written.",
        error_messages={"required": "Say who permitted it and where that is written."},
    )


class OwnQuestionForm(DashboardForm):
    question = VerbatimField(
        label="In your own words",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "How would you ask it?"}),
    )
