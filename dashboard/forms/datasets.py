"""Training data: given, said what it is, imported."""

from pathlib import PurePath
from typing import Any, Final

from django import forms

from dashboard.forms.look import DashboardForm
from dashboard.models import DatasetImport, Provenance
from trainerbot.formats.catalogue import FORMATS
from trainerbot.formats.targets import TARGETS

RULES: Final = [(each.name, each.title[:1].upper() + each.title[1:]) for each in TARGETS.values()]

# What the columns of a table may become, in the groups of which one is filled in.
GROUPS: Final = (
    (
        "Questions and answers",
        (
            ("prompt", "Question", "What a person says"),
            ("completion", "Answer", "What the model is to say"),
            ("system", "System prompt", "If there is one"),
        ),
    ),
    (
        "Texts with a label",
        (
            ("text", "Text", "What is to be told apart"),
            ("label", "Label", "Its class"),
            ("name", "Name", "To find it again"),
        ),
    ),
    (
        "Two answers, one preferred",
        (
            ("asked", "Question to both", "What both answer"),
            ("chosen", "Preferred answer", "The better one"),
            ("rejected", "Other answer", "The one that is worse"),
        ),
    ),
    (
        "Whole conversations",
        (("messages", "Messages", "A JSON list of {role, content} in one cell"),),
    ),
)

# Selects that fill a field which another group has as well.
SAME_FIELD: Final = {"asked": "prompt"}

LICENCES: Final = ("CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "MIT", "Apache-2.0", "own words")


class UploadForm(DashboardForm):
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(
            attrs={
                "accept": ".jsonl,.json,.csv,.tsv,.xlsx,.parquet,.txt,.log,.zip,.gz",
                "aria-describedby": "takes",
            }
        ),
    )
    name = forms.CharField(
        max_length=120,
        label="Name",
        required=False,
        help_text="A new name makes a new dataset; an existing one gets a new version.",
    )


class ChooseForm(DashboardForm):
    """What a person says of a file that was looked at: its format, its columns, its rules."""

    file_format = forms.ChoiceField(label="Read it as")
    sheet = forms.ChoiceField(label="Sheet", required=False)
    label = forms.CharField(
        max_length=100,
        required=False,
        label="Label of rows that name none",
        widget=forms.TextInput(attrs={"list": "batch-labels", "placeholder": "none"}),
        help_text="Such as positive or negative, for a batch of texts of one kind.",
    )
    target = forms.ChoiceField(
        choices=RULES,
        required=False,
        label="Check it by the rules of",
        help_text="Each endpoint has its own limits; the problems are told by its rules.",
    )

    def __init__(self, *args: Any, imported: DatasetImport, **kwargs: Any) -> None:
        detected, options = imported.detected, imported.options
        mapping = dict(options.get("mapping") or {})
        if mapping.get("chosen") or mapping.get("rejected"):
            mapping["asked"] = mapping.pop("prompt", "")
        kwargs["initial"] = {
            "file_format": imported.file_format,
            "sheet": options.get("sheet") or "",
            "label": options.get("label") or "",
            "target": imported.target or "any",
            **{f"column_{field}": column for field, column in mapping.items()},
        }
        super().__init__(*args, **kwargs)
        columns = [(name, name) for name in detected.get("columns") or []]
        for _, fields in GROUPS if columns else ():
            for name, label, _ in fields:
                self.fields[f"column_{name}"] = forms.ChoiceField(
                    label=label,
                    required=False,
                    choices=[("", "–"), *columns],
                    widget=forms.Select(attrs={"class": "select select-sm w-full"}),
                    initial=mapping.get(name, ""),
                )
        names = [
            imported.file_format,
            detected.get("format"),
            *(detected.get("alternatives") or []),
        ]
        offered = list(dict.fromkeys(name for name in names if name)) or list(FORMATS)
        formats = self.fields["file_format"]
        assert isinstance(formats, forms.ChoiceField)
        formats.choices = [(name, _title(name)) for name in offered]
        sheets = self.fields["sheet"]
        assert isinstance(sheets, forms.ChoiceField)
        sheets.choices = [("", "The first one"), *((s, s) for s in detected.get("sheets") or [])]
        if len(sheets.choices) < 3:
            del self.fields["sheet"]
        if imported.file_format not in ("texts", "labelled-json", "table"):
            del self.fields["label"]

    def groups(self) -> list[tuple[str, list[tuple[forms.BoundField, str]]]]:
        """The selects of the columns: [(heading, [(field, what it means)])]."""
        if "column_prompt" not in self.fields:
            return []
        return [
            (heading, [(self[f"column_{name}"], said) for name, _, said in fields])
            for heading, fields in GROUPS
        ]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name, field in SAME_FIELD.items():
            columns = self._columns()
            if len({columns.get(name) or "", columns.get(field) or ""} - {""}) > 1:
                self.add_error(f"column_{name}", "Two questions are chosen. Fill in one group.")
        return given

    def _columns(self) -> dict[str, str]:
        """{select: column}, as it was filled in."""
        return {
            name.removeprefix("column_"): column
            for name, column in self.cleaned_data.items()
            if name.startswith("column_")
        }

    def plain(self) -> list[forms.BoundField]:
        """All other fields."""
        return [self[name] for name in self.fields if not name.startswith("column_")]

    def options(self) -> dict[str, Any]:
        """What the importer is to know: {mapping, label, sheet}."""
        given = self.cleaned_data
        mapping = {
            SAME_FIELD.get(name, name): column for name, column in self._columns().items() if column
        }
        label = given.get("label", "").strip()
        return {"mapping": mapping, "label": label or None, "sheet": given.get("sheet") or None}


class StartForm(DashboardForm):
    """Where the rows go, and where they come from."""

    name = forms.CharField(
        max_length=120,
        label="Dataset",
        help_text="A new name makes a new dataset; an existing one gets a new version.",
    )
    source = forms.ChoiceField(
        choices=[
            (Provenance.Source.UPLOAD, "A file: written for this, or published"),
            (Provenance.Source.DASHBOARD, "Written on this dashboard"),
            (Provenance.Source.CORRECTION, "Corrections of the bot's answers"),
            (Provenance.Source.DISCORD_COMMAND, "Discord: given in a command or a form"),
            (Provenance.Source.DISCORD_MESSAGE, "Discord: what people wrote in channels"),
        ],
        label="Where the words come from",
        help_text=(
            "Discord forbids training on what people wrote in channels, unless it gave its "
            "permission; an admin records that later."
        ),
    )
    reference = forms.CharField(
        max_length=255,
        required=False,
        label="Source",
        widget=forms.TextInput(attrs={"placeholder": "an address, a project, a person"}),
        help_text="Where one can look it up. Empty for the name of the file.",
    )
    licence = forms.CharField(
        max_length=120,
        required=False,
        label="Licence",
        widget=forms.TextInput(attrs={"list": "licences", "placeholder": "unknown"}),
        help_text="Of the words, such as CC-BY-4.0. It goes along into every export.",
    )
    skip_faulty = forms.BooleanField(required=False)

    def __init__(self, *args: Any, imported: DatasetImport, **kwargs: Any) -> None:
        kwargs["initial"] = {
            "name": imported.name or PurePath(imported.filename).stem[:120],
            "source": Provenance.Source.UPLOAD,
        }
        super().__init__(*args, **kwargs)
        n_errors = imported.report.get("n_errors", 0)
        if n_errors and imported.report.get("n_examples"):
            rows = "1 faulty row" if n_errors == 1 else f"rows with the {n_errors:,} errors"
            self.fields["skip_faulty"].label = f"Leave out the {rows}"
        else:
            self.fields["skip_faulty"].widget = forms.HiddenInput()
        self.licences = LICENCES


def _title(name: str) -> str:
    found = FORMATS.get(name)
    if found is None:
        return name
    return f"{found.title[:1].upper()}{found.title[1:]} ({found.keys})"


class PermitForm(DashboardForm):
    """An admin's word that others permit training on their messages."""

    permission = forms.CharField(
        label="Who permitted it, and where that is written",
        max_length=2000,
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "placeholder": "Discord, letter of 12 March, case 4711; kept in legal/discord.pdf",
            }
        ),
    )


class SplitForm(DashboardForm):
    """Shares of the parts, in per cent; what is left of 100 is trained on."""

    validation = forms.IntegerField(
        min_value=0, max_value=90, initial=10, label="Validation, in per cent"
    )
    test = forms.IntegerField(min_value=0, max_value=90, initial=10, label="Test, in per cent")
    seed = forms.IntegerField(
        min_value=0,
        max_value=2**31 - 1,
        initial=1,
        label="Seed",
        help_text="The same seed always splits the same rows alike.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        split = kwargs.pop("initial", None) or {}
        shares = split.get("shares") or {}
        if shares:
            kwargs["initial"] = {
                "validation": round(100 * shares.get("validation", 0)),
                "test": round(100 * shares.get("test", 0)),
                "seed": split.get("seed", 1),
            }
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        if (given.get("validation") or 0) + (given.get("test") or 0) > 95:
            raise forms.ValidationError("Leave at least 5 per cent to train on.")
        return given

    def shares(self) -> dict[str, float]:
        """{part: 0 to 1}, in the order of the parts."""
        validation = self.cleaned_data["validation"] / 100
        test = self.cleaned_data["test"] / 100
        found = {
            "train": round(1 - validation - test, 4),
            "validation": validation,
            "test": test,
        }
        return {part: share for part, share in found.items() if share}


class FreezeForm(DashboardForm):
    note = forms.CharField(
        max_length=2000,
        required=False,
        label="Note",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "What changed, and why"}),
        help_text="For people who compare versions later.",
    )
