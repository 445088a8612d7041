"""How the bot answers."""

from typing import Any

from django import forms
from django.core.validators import MinValueValidator

from dashboard.forms.look import DashboardForm, WhyForm, dress
from dashboard.models import AssistantSettings, MeaningSettings


class AssistantForm(WhyForm, forms.ModelForm[AssistantSettings]):
    class Meta:
        model = AssistantSettings
        fields = (
            "model",
            "system_prompt",
            "temperature",
            "max_tokens",
            "training_price",
            "judge_model",
            "verdict_budget_usd",
        )
        labels = {
            "system_prompt": "Persona",
            "max_tokens": "Longest answer",
            "training_price": "Price of training",
            "judge_model": "Judge model",
            "verdict_budget_usd": "Budget of a verdict",
        }
        help_texts = {
            "model": "Which model answers, on every face. Empty takes the endpoint's own.",
            "system_prompt": "The system prompt: what the model is told before each conversation.",
            "temperature": (
                "0 repeats itself, 1 varies, 2 rambles. Empty takes the model's own default."
            ),
            "max_tokens": "In tokens; a token is about three quarters of a word.",
            "training_price": (
                "What the endpoint charges for a million trained tokens, to estimate what a "
                "fine-tune costs. The model server of this machine is free."
            ),
        }
        help_texts |= {
            "judge_model": (
                "Who judges answers by rubric where a gate or a verdict needs it. Empty judges "
                "none of those, and they count as not right."
            ),
            "verdict_budget_usd": (
                "US dollars that the tests after one fine-tune may cost, by the prices under "
                "Models. Empty is no limit; the model server of this machine is free."
            ),
        }
        widgets = {
            "judge_model": forms.TextInput(attrs={"list": "models", "placeholder": "nobody"}),
            "verdict_budget_usd": forms.NumberInput(
                attrs={"min": "0.01", "step": "0.01", "placeholder": "no limit"}
            ),
            "model": forms.TextInput(attrs={"list": "models", "placeholder": "the endpoint's own"}),
            "system_prompt": forms.Textarea(attrs={"rows": 5}),
            "temperature": forms.NumberInput(attrs={"step": "0.1", "min": "0", "max": "2"}),
            "max_tokens": forms.NumberInput(attrs={"min": "1"}),
            "training_price": forms.NumberInput(
                attrs={"min": "0", "step": "any", "placeholder": "unknown"}
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_why()
        dress(self)
        self.fields["max_tokens"].validators.append(MinValueValidator(1))
        self.fields["training_price"].validators.append(MinValueValidator(0))


class MeaningForm(DashboardForm):
    """By what questions are compared with corrections."""

    by = forms.ChoiceField(
        label="Compare questions by",
        choices=MeaningSettings.By.choices,
        help_text="Words are always compared. Meaning finds who asks the same in other words.",
    )
    endpoint = forms.CharField(
        required=False,
        max_length=200,
        help_text="Of the model named here: empty for the endpoint of answers, "
        "<code>modelserver</code>, or a name from <code>MORE_ENDPOINTS</code>.",
    )
    model = forms.CharField(
        label="Embedding model",
        required=False,
        max_length=200,
        help_text="It reads every corrected question once, and each question that is asked.",
        widget=forms.TextInput(attrs={"list": "embedding-models"}),
    )
