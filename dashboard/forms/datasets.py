"""Uploading training data."""

from django import forms

from dashboard.forms.look import DashboardForm


class UploadForm(DashboardForm):
    name = forms.CharField(
        max_length=120,
        label="Name",
        help_text="A new name makes a new dataset; an existing one gets a new version.",
    )
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ".jsonl,.json,application/jsonl"}),
    )
