"""Starting a fine-tune."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dashboard.forms.look import DashboardForm, dress
from dashboard.models import Dataset, DatasetVersion
from dashboard.services import hyperparameters, jobs
from dashboard.services.hyperparameters import Hyperparameter
from trainerbot.errors import InvalidInput


class HyperparameterField(forms.CharField):
    """A number, or nothing where the endpoint is to choose. Cleaned: None for "auto"."""

    def __init__(self, kind: Hyperparameter) -> None:
        super().__init__(
            required=False,
            label=kind.title,
            help_text=f"{kind.text} {kind.span}.",
            widget=forms.TextInput(
                attrs={
                    "placeholder": hyperparameters.AUTO,
                    "inputmode": "numeric" if kind.whole else "decimal",
                    "autocomplete": "off",
                    "title": kind.name,
                }
            ),
        )
        self.kind = kind

    def clean(self, value: Any) -> Any:
        try:
            return self.kind.checked(super().clean(value))
        except InvalidInput as error:
            raise ValidationError(str(error)) from error


class NewJobForm(DashboardForm):
    """What to train on and how. Which models and methods exist, only the endpoint knows.

    The numbers are those of `method`: of another one none are read.
    """

    dataset = forms.ModelChoiceField(
        Dataset.objects.current().order_by("-pk"),
        empty_label="Choose a dataset",
        help_text="The examples to learn from. Its newest version is used.",
    )
    base_model = forms.CharField(max_length=200)
    method = forms.CharField(max_length=40)
    suffix = forms.CharField(
        max_length=64,
        required=False,
        label="Name",
        widget=forms.TextInput(attrs={"placeholder": "support-bot"}),
        help_text="Becomes part of the new model's name, so that you find it again.",
    )
    seed = forms.IntegerField(
        min_value=0,
        max_value=jobs.MAX_SEED,
        required=False,
        widget=forms.TextInput(
            attrs={"placeholder": "by chance", "inputmode": "numeric", "autocomplete": "off"}
        ),
        help_text="The same number repeats a run. Empty draws one.",
    )
    of_version = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, method: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = hyperparameters.of(method)
        for kind in self.kinds:
            self.fields[kind.name] = HyperparameterField(kind)
        dress(self)

    def version(self) -> DatasetVersion | None:
        """The version whose page led here, unless another dataset was chosen since; else None."""
        found: DatasetVersion | None = DatasetVersion.objects.filter(
            pk=self.cleaned_data.get("of_version"), dataset=self.cleaned_data["dataset"]
        ).first()
        return found

    def hyperparameters(self) -> dict[str, Any]:
        """The numbers that were given; "auto" is not sent."""
        given = {kind.name: self.cleaned_data.get(kind.name) for kind in self.kinds}
        return {name: value for name, value in given.items() if value is not None}

    def numbers(self, *, ours: bool | None = None) -> list[forms.BoundField]:
        """The fields of the method's numbers: all, those that OpenAI names too, or only ours."""
        return [self[kind.name] for kind in self.kinds if ours is None or kind.ours == ours]

    def typed_numbers(self) -> list[forms.BoundField]:
        """What was typed beyond the usual fields, to be carried on to the next question."""
        return [field for field in [*self.numbers(), self["seed"]] if field.value()]

    def is_advanced(self) -> bool:
        """Whether one of the numbers was given that are out of sight at first."""
        return any(field.value() for field in [*self.numbers(ours=True), self["seed"]])
