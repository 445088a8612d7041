"""How the bot behaves on one Discord server, in one channel, or in direct messages."""

from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm, WhyForm, dress
from dashboard.models import (
    AssistantSettings,
    DiscordChannel,
    DiscordGuild,
    GuildSettings,
    PlaceSettings,
)
from dashboard.services import places, speech, voices
from dashboard.services.places import Place

NO_LIMIT = "no limit"
MONEY = {"min": "0", "step": "0.01", "placeholder": NO_LIMIT}
COUNT = {"min": "0", "placeholder": NO_LIMIT}


class PlaceForm(WhyForm, forms.ModelForm[PlaceSettings]):
    """What a server or a channel has of its own. Its fields show what is in force while empty."""

    class Meta:
        model = PlaceSettings
        fields = ("answers", "model", "system_prompt", "language", "temperature", "max_tokens")
        labels = {
            "answers": "What it answers",
            "system_prompt": "Persona",
            "max_tokens": "Longest answer",
        }
        help_texts = {
            "answers": (
                "To be addressed is to be mentioned, replied to, or asked by a command. "
                "To read every message the bot needs the message content intent."
            ),
            "model": "Which model answers here.",
            "system_prompt": "The system prompt: what the model is told before each conversation.",
            "language": "A language tag such as en, de or ru-RU. People may choose their own.",
            "temperature": "0 repeats itself, 1 varies, 2 rambles.",
            "max_tokens": "In tokens; a token is about three quarters of a word.",
        }
        widgets = {
            "model": forms.TextInput(attrs={"list": "models"}),
            "system_prompt": forms.Textarea(attrs={"rows": 4}),
            "temperature": forms.NumberInput(attrs={"step": "0.1", "min": "0", "max": "2"}),
            "max_tokens": forms.NumberInput(attrs={"min": "1", "max": str(places.MOST_TOKENS)}),
        }

    def __init__(self, *args: Any, otherwise: Place, **kwargs: Any) -> None:
        """otherwise: what is in force where a field stays empty."""
        super().__init__(*args, **kwargs)
        self.add_why()
        dress(self)
        answers = self.fields["answers"]
        assert isinstance(answers, forms.ChoiceField)  # as the model has choices
        inherited = places.Answers(otherwise.answers).label.lower()
        answers.choices = [
            (value, f"As elsewhere: {inherited}" if not value else label)
            for value, label in places.Answers.choices
        ]
        unset = {
            "model": otherwise.model or "the endpoint's own",
            "system_prompt": otherwise.system_prompt,
            "language": otherwise.language or "that of the question",
            "temperature": "the model's own"
            if otherwise.temperature is None
            else str(otherwise.temperature),
            "max_tokens": str(otherwise.max_tokens),
        }
        for name, words in unset.items():
            self.fields[name].widget.attrs["placeholder"] = words


class LimitsForm(WhyForm, forms.ModelForm[GuildSettings]):
    """How fast and at what cost people of one server may ask, and where trainers review."""

    why_id = "id_why_cheaper"

    class Meta:
        model = GuildSettings
        fields = (
            "review_channel",
            "reviewers_needed",
            "linked_only",
            "user_cooldown_s",
            "guild_per_minute",
            "user_tokens",
            "user_cost_usd",
            "guild_tokens",
            "guild_cost_usd",
            "saving_model",
        )
        labels = {
            "review_channel": "Review channel",
            "reviewers_needed": "Reviewers",
            "linked_only": "Only people with an account review",
            "user_cooldown_s": "Seconds to wait",
            "guild_per_minute": "Questions a minute",
            "user_tokens": "Tokens a person",
            "user_cost_usd": "US dollars a person",
            "guild_tokens": "Tokens in all",
            "guild_cost_usd": "US dollars in all",
            "saving_model": "Cheaper model",
        }
        help_texts = {
            "review_channel": "Proposed corrections are shown there, for trainers to judge.",
            "reviewers_needed": (
                "How many different people must approve a correction. "
                "Where they disagree an admin decides."
            ),
            "linked_only": (
                "With two or more reviewers: on Discord votes only who has linked their account "
                "on the dashboard, so that nobody counts twice."
            ),
            "user_cooldown_s": "Between two questions of one person.",
            "guild_per_minute": "Of the whole server.",
            "user_tokens": "Read and written, in a month.",
            "user_cost_usd": "In a month, by the prices on the Models page.",
            "guild_tokens": "Of the whole server, in a month.",
            "guild_cost_usd": "Of the whole server, in a month.",
            "saving_model": "Answers once 90 % of a budget are used. Empty changes nothing.",
        }
        widgets = {
            "reviewers_needed": forms.NumberInput(attrs={"min": "1", "max": "5"}),
            "user_cooldown_s": forms.NumberInput(attrs={"min": "0", "step": "any"}),
            "guild_per_minute": forms.NumberInput(attrs=COUNT),
            "user_tokens": forms.NumberInput(attrs=COUNT),
            "guild_tokens": forms.NumberInput(attrs=COUNT),
            "user_cost_usd": forms.NumberInput(attrs=MONEY),
            "guild_cost_usd": forms.NumberInput(attrs=MONEY),
            "saving_model": forms.TextInput(attrs={"list": "models", "placeholder": "none"}),
        }

    def __init__(self, *args: Any, guild: DiscordGuild, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_why()
        dress(self)
        channels = self.fields["review_channel"]
        assert isinstance(channels, forms.ModelChoiceField)  # as the model has a key
        channels.queryset = DiscordChannel.objects.filter(
            guild=guild, kind__in=("text", "news"), gone_at=None
        ).order_by("position")
        channels.empty_label = "none: on the dashboard only"


class DirectForm(forms.ModelForm[AssistantSettings]):
    """What counts in direct messages, which belong to no server."""

    class Meta:
        model = AssistantSettings
        fields = ("answers_direct", "direct_cooldown_s", "direct_tokens", "direct_cost_usd")
        labels = {
            "answers_direct": "Answer direct messages",
            "direct_cooldown_s": "Seconds to wait",
            "direct_tokens": "Tokens a person",
            "direct_cost_usd": "US dollars a person",
        }
        help_texts = {
            "answers_direct": "Off: only the owner of the application may write to the bot directly.",
            "direct_cooldown_s": "Between two questions of one person.",
            "direct_tokens": "Read and written, in a month.",
            "direct_cost_usd": "In a month, by the prices on the Models page.",
        }
        widgets = {
            "direct_cooldown_s": forms.NumberInput(attrs={"min": "0", "step": "any"}),
            "direct_tokens": forms.NumberInput(attrs=COUNT),
            "direct_cost_usd": forms.NumberInput(attrs=MONEY),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class PriceForm(DashboardForm):
    """What an endpoint charges for one model."""

    model = forms.CharField(
        max_length=200,
        widget=forms.TextInput(attrs={"list": "priced-models", "placeholder": "gpt-4.1-mini"}),
    )
    prompt_usd = forms.DecimalField(
        label="Input",
        min_value=0,
        max_digits=10,
        decimal_places=4,
        help_text="US dollars for a million tokens read.",
    )
    completion_usd = forms.DecimalField(
        label="Output",
        min_value=0,
        max_digits=10,
        decimal_places=4,
        help_text="US dollars for a million tokens written.",
    )


class SpeechPriceForm(DashboardForm):
    """What somebody who hears or speaks charges."""

    provider = forms.ChoiceField(
        label="Who hears or speaks",
        choices=lambda: [(name, voices.label(name)) for name in speech.priced()],
    )
    heard_usd = forms.DecimalField(
        label="Hearing",
        min_value=0,
        max_digits=10,
        decimal_places=4,
        initial=0,
        help_text="US dollars for a minute listened to.",
    )
    spoken_usd = forms.DecimalField(
        label="Speaking",
        min_value=0,
        max_digits=10,
        decimal_places=4,
        initial=0,
        help_text="US dollars for a million characters spoken.",
    )
