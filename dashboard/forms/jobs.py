"""Starting a fine-tune."""

from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm
from dashboard.models import Dataset, DatasetVersion


class NewJobForm(DashboardForm):
    """What to train on and how. Which models and methods exist, only the endpoint knows."""

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
    n_epochs = forms.IntegerField(
        min_value=1,
        max_value=50,
        required=False,
        label="Epochs",
        widget=forms.NumberInput(attrs={"placeholder": "auto"}),
        help_text=(
            "How often the training reads all examples. Empty lets the endpoint choose; "
            "more learns more by heart."
        ),
    )

    of_version = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def version(self) -> DatasetVersion | None:
        """The version whose page led here, unless another dataset was chosen since; else None."""
        found: DatasetVersion | None = DatasetVersion.objects.filter(
            pk=self.cleaned_data.get("of_version"), dataset=self.cleaned_data["dataset"]
        ).first()
        return found

    def hyperparameters(self) -> dict[str, Any]:
        epochs = self.cleaned_data.get("n_epochs")
        return {"n_epochs": epochs} if epochs else {}
