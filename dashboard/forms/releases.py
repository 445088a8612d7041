"""A name under which models answer, and what shall answer there."""

from django import forms

from dashboard.forms.corrections import VerbatimField
from dashboard.forms.look import DashboardForm
from dashboard.models import Promotion, Suite
from dashboard.services.suites import without_everyday

Action = Promotion.Action
TEST = "test"


class AliasForm(DashboardForm):
    name = forms.CharField(
        max_length=41,
        widget=forms.TextInput(attrs={"placeholder": "support"}),
        help_text="Small letters, digits and hyphens. A server or channel asks for it as @support.",
        error_messages={"required": "Give it a name first."},
    )
    note = forms.CharField(
        label="What it is for",
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "Answers in the help channels"}),
    )


class GuardForm(DashboardForm):
    suites = forms.ModelMultipleChoiceField(
        queryset=without_everyday(Suite.objects.exclude(kind=Suite.Kind.CORRECTIONS)).order_by(
            "name"
        ),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="General suites",
        help_text="Corrections in force are always asked.",
    )
    margin = forms.FloatField(
        min_value=0.0,
        max_value=100.0,
        help_text="How many of a hundred answers a new release may do worse on them.",
    )
    judge_model = forms.CharField(
        max_length=200,
        required=False,
        label="Judge model",
        widget=forms.TextInput(attrs={"list": "models", "autocomplete": "off"}),
        help_text="Who judges rubrics. Empty takes the one of Settings.",
    )


class ReleaseForm(DashboardForm):
    """A model with its prompt and settings, and what to do with it."""

    model = forms.CharField(
        max_length=200,
        widget=forms.TextInput(attrs={"list": "models", "autocomplete": "off"}),
        error_messages={"required": "Name the model first."},
    )
    system_prompt = VerbatimField(
        label="Persona",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What the model is told first. Empty: as the place has it.",
    )
    temperature = forms.FloatField(
        required=False,
        min_value=0.0,
        max_value=2.0,
        help_text="0 to 2. Empty: as the place has it.",
    )
    max_tokens = forms.IntegerField(
        label="Longest answer",
        required=False,
        min_value=1,
        help_text="In tokens. Empty: as the place has it.",
    )
    action = forms.ChoiceField(
        label="Who gets it",
        choices=[
            (TEST, "Nobody yet: test it first"),
            (Action.PROMOTE, "Everybody"),
            (Action.CANARY, "A share of the people (canary)"),
            (Action.SHADOW, "Nobody: ask it unseen, to compare (shadow)"),
        ],
    )
    percent = forms.IntegerField(
        label="Share, of a hundred",
        required=False,
        min_value=1,
        max_value=100,
        initial=10,
        help_text="Of the people for a canary, of the questions for a shadow.",
    )
    why = VerbatimField(
        label="Why",
        required=False,
        widget=forms.TextInput(),
        help_text="Kept in the history. Needed where the tests object.",
    )
    override = forms.BooleanField(
        label="Release it although its tests object",
        required=False,
    )

    def clean_percent(self) -> int:
        given: int | None = self.cleaned_data["percent"]
        return 10 if given is None else given
