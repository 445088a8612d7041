"""Making suites, starting runs, and saying how a correction is judged."""

from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm
from dashboard.models import DatasetVersion, Judge
from dashboard.services import providers
from dashboard.services.suites import library
from trainerbot.curation import PARTS


class UploadSuiteForm(DashboardForm):
    """A file of cases. The same name again makes the suite's next version."""

    name = forms.CharField(max_length=120)
    file = forms.FileField(
        label="File",
        help_text="JSON lines or CSV with a question each, or any file that a dataset is imported "
        "from.",
    )


class SplitSuiteForm(DashboardForm):
    """A held-out part of a frozen dataset."""

    source = forms.ModelChoiceField(
        DatasetVersion.objects.none(), label="Dataset", empty_label="Choose a dataset"
    )
    part = forms.ChoiceField(choices=[(part, part) for part in reversed(PARTS)])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = DatasetVersion.objects.frozen().filter(dataset__archived_at=None)
        field = self.fields["source"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = rows.exclude(split={}).select_related("dataset").order_by("-pk")


class NewRunForm(DashboardForm):
    """Who is asked what. Which models there are, only an endpoint knows."""

    suite = forms.ChoiceField(label="Suite")
    endpoint = forms.ChoiceField(required=False)
    model = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"list": "models"}))
    with_recall = forms.BooleanField(
        required=False,
        label="With recall",
        help_text="Approved corrections take part, as they do in a chat.",
    )
    judge_model = forms.CharField(
        max_length=200,
        required=False,
        label="Judge model",
        help_text="Who judges cases with a rubric. Empty asks them and judges none.",
    )
    judge_endpoint = forms.ChoiceField(required=False, label="Endpoint of the judge")
    temperature = forms.FloatField(min_value=0, max_value=2, required=False, initial=0)
    budget_usd = forms.DecimalField(
        min_value=0,
        max_digits=12,
        decimal_places=4,
        required=False,
        label="Budget in US dollars",
        help_text="It stops before it costs more. Empty is no limit.",
    )
    system_prompt = forms.CharField(
        required=False,
        label="What the model is told first",
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Empty tells it what the assistant is told.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        configured = providers.endpoint().name
        names = [("", configured)]
        names += [(name, name) for name in providers.endpoints() if name != configured]
        for name, found in (
            ("suite", self._suites()),
            ("endpoint", names),
            ("judge_endpoint", names),
        ):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = found

    def _suites(self) -> list[tuple[str, str]]:
        found = library.choices()
        wanted = str(self.data.get("suite") or self.initial.get("suite") or "")
        kind, _, number = wanted.partition(":")
        if kind == "version" and number.isascii() and number.isdecimal() and len(number) < 19:
            found = [(wanted, str(library.get(int(number)))), *found]
        return found


class JudgeForm(DashboardForm):
    """How a model's answer to a correction's question is tested."""

    judge = forms.ChoiceField(choices=Judge.choices, label="How it is judged")
    least = forms.FloatField(
        min_value=0.01,
        max_value=1,
        required=False,
        label="How alike, up to 1",
        help_text="For likeness of words. Empty is 0.75.",
    )
    phrases = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Phrases it must contain",
        help_text="One a line. Numbers and a “not” before them count.",
    )
    without = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Phrases it must not contain",
        help_text="One a line.",
    )
    labels = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="One a line, the right answer among them.",
    )
    rubric = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For a judge model: what makes an answer right.",
    )

    def args(self) -> dict[str, Any]:
        """What the chosen judge needs of the fields."""
        given = self.cleaned_data
        told: dict[str, Any] = {"rubric": given["rubric"]}
        if given["least"]:
            told["least"] = given["least"]
        for name in ("phrases", "without", "labels"):
            told[name] = [line.strip() for line in given[name].splitlines() if line.strip()]
        return told

    @staticmethod
    def initial_of(judge: str, args: dict[str, Any]) -> dict[str, Any]:
        """How the form begins for a correction that is judged so."""
        lines = {name: "\n".join(args.get(name, [])) for name in ("phrases", "without", "labels")}
        return {
            "judge": judge,
            "least": args.get("least"),
            "rubric": args.get("rubric", ""),
            **lines,
        }
