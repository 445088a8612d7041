"""Which model is to take another one's place, and under which name."""

from typing import Any

from django import forms

from dashboard.forms.look import DashboardForm
from dashboard.models import Alias
from dashboard.services import retirements


class ReplacementForm(DashboardForm):
    model = forms.CharField(max_length=200, widget=forms.HiddenInput())
    replacement = forms.CharField(
        max_length=200,
        label="Its replacement",
        widget=forms.TextInput(attrs={"list": "models", "autocomplete": "off"}),
        help_text="Both are asked the same tests. Nothing changes for anybody yet.",
        error_messages={"required": "Name the model that is to take its place."},
    )
    alias = forms.ModelChoiceField(
        Alias.objects.none(),
        required=False,
        label="Under which name",
        empty_label="None: as all places have it",
        help_text="With the persona and settings of what answers there, on what its gate asks for.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        old = str(self.data.get("model") or self.initial.get("model") or "")
        found = retirements.aliases_of(old)
        field = self.fields["alias"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Alias.objects.filter(pk__in=[alias.pk for alias in found]).order_by("name")
        if found:
            field.initial = found[0].pk
        else:
            del self.fields["alias"]
