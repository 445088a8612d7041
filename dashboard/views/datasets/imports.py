"""The page of one import: what the file is, what is wrong with it, and its way to a version."""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard.forms.datasets import ChooseForm, StartForm
from dashboard.models import DatasetImport
from dashboard.services import imports
from dashboard.services.access import Permission
from dashboard.views.datasets.found import reader
from dashboard.views.datasets.progress import watch
from dashboard.views.datasets.records import Shown, show
from dashboard.views.doors import is_htmx, requires
from trainerbot.formats.catalogue import FORMATS
from trainerbot.formats.rows import Kind

PROBLEMS_A_PAGE = 50
SAMPLE_ROWS = 3

State = DatasetImport.State
SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Problems:
    """One page of what the check found. after, before: where to go on, "" at the ends."""

    rows: list[dict[str, Any]]
    only: str
    after: str
    before: str


@require_GET
@requires(Permission.DATA)
def detail(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    imported = imports.get(key)
    return render(request, "dashboard/datasets/imports/detail.html", _context(request, imported))


@require_GET
@requires(Permission.DATA)
def progress(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """The live part of the page; it leads on to the version once that is there."""
    imported = imports.get(key)
    if imported.state == State.IMPORTED and imported.version and is_htmx(request):
        response = HttpResponse(status=204)
        version = imported.version
        response["HX-Redirect"] = f"{_page_of(version.dataset_id)}?version={version.number}"
        return response
    return render(request, "dashboard/datasets/imports/_state.html", _context(request, imported))


@require_GET
@requires(Permission.DATA)
def problems(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    imported = imports.get(key)
    context = {"imported": imported, "found": _problems(request, imported)}
    return render(request, "dashboard/datasets/imports/_problems.html", context)


@require_GET
@requires(Permission.DATA)
def survey(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """What the file would cost, repeat and give away, as far as that is known."""
    imported = imports.get(key)
    context = {"imported": imported, **_survey(imported)}
    return render(request, "dashboard/datasets/imports/_survey.html", context)


@require_GET
@requires(Permission.DATA)
def excerpt(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """One line of the file, the column of its problem marked."""
    imported = imports.get(key)
    line, column = _count(request, "line"), _count(request, "column")
    place = request.GET.get("place", "")
    text = imports.excerpt(imported, line, place=place)
    found = [
        row
        for row in imported.report.get("problems", [])
        if row["line"] == line and row.get("place", "") == place
    ]
    at = column - 1 if 0 < column <= len(text) else None
    context = {
        "line": line,
        "place": place,
        "problems": found,
        "before": text if at is None else text[:at],
        "marked": "" if at is None else text[at],
        "rest": "" if at is None else text[at + 1 :],
    }
    return render(request, "dashboard/datasets/imports/_excerpt.html", context)


@require_POST
@requires(Permission.DATA)
def choose(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Take the reader's word for what the file is, and check it again."""
    imported = imports.get(key)
    form = ChooseForm(request.POST, imported=imported)
    if form.is_valid() and form.attempt(lambda: _choose(imported, form)):
        return redirect("dataset-import", key=imported.key)
    return _again(request, imported, choose_form=form)


@require_POST
@requires(Permission.DATA)
def start(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Store the rows: as a draft, or frozen at once."""
    imported = imports.get(key)
    form = StartForm(request.POST, imported=imported)
    if form.is_valid():
        task = form.attempt(
            lambda: imports.start_import(
                imported,
                name=form.cleaned_data["name"],
                actor=reader(request),
                source=form.cleaned_data["source"],
                licence=form.cleaned_data["licence"],
                reference=form.cleaned_data["reference"],
                skip_faulty=form.cleaned_data["skip_faulty"],
                freeze="freeze" in request.POST,
            )
        )
        if task is not None:
            return redirect("dataset-import", key=imported.key)
    return _again(request, imported, start_form=form)


@require_POST
@requires(Permission.DATA)
def keep_jobs(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    """Keep what the original bot's job_ids.json holds: jobs, not examples."""
    n_new = imports.keep_job_ids(imports.get(key), actor=reader(request))
    messages.success(request, f"{n_new:,} job ids were new. They are at the end of this list.")
    return redirect("job-list")


@require_POST
@requires(Permission.DATA)
def cancel(request: HttpRequest, key: uuid.UUID) -> HttpResponse:
    imported = imports.get(key)
    imports.cancel(imported, actor=reader(request))
    back = request.POST.get("back", "")
    return redirect("dataset-list" if back == "list" else resolve_url("dataset-import", key=key))


def _choose(imported: DatasetImport, form: ChooseForm) -> bool:
    imports.choose(
        imported,
        file_format=form.cleaned_data["file_format"],
        options=form.options(),
        target=form.cleaned_data["target"],
    )
    return True


def _again(request: HttpRequest, imported: DatasetImport, **bound: Any) -> HttpResponse:
    """The page once more, with what was typed and why it was refused."""
    context = {**_context(request, imported), **bound}
    return render(request, "dashboard/datasets/imports/detail.html", context, status=422)


def _context(request: HttpRequest, imported: DatasetImport) -> dict[str, Any]:
    found = FORMATS.get(imported.file_format)
    context: dict[str, Any] = {
        "imported": imported,
        "watched": watch(imported),
        "title": found.title if found else "",
        "step": _step(imported),
    }
    if imported.state == State.CHECKED:
        context |= {
            "report": imported.report,
            "n_warnings": imported.report.get("n_problems", 0) - imported.report.get("n_errors", 0),
            "found": _problems(request, imported),
            "sample": _sample(imported),
            **_survey(imported),
            "raw_rows": imports.raw_rows(imported, SAMPLE_ROWS),
            "choose_form": ChooseForm(imported=imported),
            "start_form": StartForm(imported=imported),
        }
    return context


def _step(imported: DatasetImport) -> int:
    """Which of the four steps an import is at, from 1."""
    if imported.state == State.RECEIVING:
        return 1
    if imported.state in (State.RECEIVED, State.CHECKING):
        return 2
    return 3 if imported.state == State.CHECKED else 4


def _sample(imported: DatasetImport) -> list[Shown]:
    """The first rows as they would be stored."""
    kind = imported.detected.get("kind")
    records = imported.detected.get("sample") or []
    return [show(record, Kind(kind)) for record in records[:SAMPLE_ROWS]] if kind else []


def _survey(imported: DatasetImport) -> dict[str, Any]:
    """What the survey has found, and the price of one epoch as a number."""
    found = imported.report.get("survey") or {}
    one_epoch = (found.get("price") or {}).get("one_epoch")
    return {
        "survey": found,
        "survey_topic": imports.topic(imported),
        "is_surveyed": found.get("state") not in ("waiting", "running"),
        "one_epoch": None if one_epoch is None else Decimal(one_epoch),
    }


def _problems(request: HttpRequest, imported: DatasetImport) -> Problems:
    only = request.GET.get("only", "")
    only = only if only in SEVERITIES else ""
    rows = [
        {**row, "index": index}
        for index, row in enumerate(imported.report.get("problems", []), start=1)
        if not only or row["severity"] == only
    ]
    after, before = _count(request, "after"), _count(request, "before")
    if before and not after:
        earlier = [row for row in rows if row["index"] < before]
        chosen = earlier[-PROBLEMS_A_PAGE:]
    else:
        chosen = [row for row in rows if row["index"] > after][:PROBLEMS_A_PAGE]
    has_next = bool(chosen) and chosen[-1]["index"] < rows[-1]["index"]
    has_previous = bool(chosen) and chosen[0]["index"] > rows[0]["index"]
    return Problems(
        rows=chosen,
        only=only,
        after=str(chosen[-1]["index"]) if has_next else "",
        before=str(chosen[0]["index"]) if has_previous else "",
    )


def _count(request: HttpRequest, name: str) -> int:
    value = request.GET.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 16 else 0


def _page_of(pk: int) -> str:
    return reverse("dataset-detail", args=[pk])
