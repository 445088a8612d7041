"""Starting a test of a model."""

from django import forms

from dashboard.forms.look import DashboardForm
from dashboard.services.evaluations.cases import testable
from trainerbot.curation import PARTS


class NewEvaluationForm(DashboardForm):
    """Who is asked about which rows. Which models exist, only the endpoint knows."""

    version = forms.ModelChoiceField(
        testable(),
        empty_label="Choose a dataset",
        label="Dataset",
        help_text="Texts with their labels, or conversations whose answers are a few short labels.",
    )
    model = forms.CharField(max_length=200)
    part = forms.ChoiceField(
        choices=[("", "All rows"), *((part, f"Only {part}") for part in PARTS)],
        required=False,
        label="Rows",
        help_text="Of a dataset that was split, test what the model did not learn from.",
    )
    limit = forms.IntegerField(
        min_value=1,
        required=False,
        label="At most",
        widget=forms.NumberInput(attrs={"placeholder": "all"}),
        help_text="So many rows, spread evenly over the dataset. Empty tests all.",
    )
    labels = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="One a line, to choose from more labels than the data has. "
        "Empty takes those of the data.",
    )
    instruction = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the model is told before each text. "
        "Empty tells it what a fine-tune on this dataset tells it.",
    )

    def clean_labels(self) -> list[str]:
        lines: str = self.cleaned_data["labels"]
        return [line.strip() for line in lines.splitlines() if line.strip()]
