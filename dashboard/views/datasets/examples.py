"""The rows of a version: filtered, opened, edited, picked out."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.models import DatasetVersion, Example, Provenance
from dashboard.services import drafts, examples
from dashboard.services.access import Permission
from dashboard.services.examples import FIELDS, Filter
from dashboard.views.datasets.editing import apply, fields_of, read_json, skeleton
from dashboard.views.datasets.found import version_of
from dashboard.views.datasets.records import indented, show
from dashboard.views.doors import Door, is_htmx, lead_to, reader, requires, whole_number
from trainerbot.curation import PARTS
from trainerbot.errors import TrainerBotError
from trainerbot.formats.rows import Kind

SHOWN_LABELS = 12
MARKS = (
    ("duplicate", "Duplicates"),
    ("private", "Private data"),
    ("short", "Very short"),
    ("long", "Very long"),
    ("edited", "Edited"),
    ("removed", "Removed"),
)


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that can be switched on and off. n: how many rows it lets through, if known."""

    name: str
    href: str
    active: bool
    n: int | None


@require_GET
@requires(Permission.VIEW)
def browse(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One page of rows; `?at=` names the first of them, shown in full, `?open=` another one."""
    version = version_of(pk, number)
    template = "_browser.html" if is_htmx(request) else "page.html"
    return render(request, f"dashboard/datasets/examples/{template}", _page(request, version))


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int, number: int, position: int) -> HttpResponse:
    """One row in full, to be put below its line."""
    version = version_of(pk, number)
    example = examples.get(version, position)
    context = _opened(request, version, example)
    return render(request, "dashboard/datasets/examples/_open.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.DATA)
def edit(request: HttpRequest, pk: int, number: int, position: int) -> HttpResponse:
    """The form of a row's words, beside its JSON; what comes back is the row anew."""
    version = version_of(pk, number)
    example = examples.get(version, position)
    record, problem = example.record, ""
    if request.method == "POST":
        try:
            record = _written(request, record)
            example.version = version
            drafts.rewrite(
                example,
                record=record,
                actor=reader(request),
                seen=request.POST.get("seen", ""),
            )
        except TrainerBotError as error:
            problem = str(error)
        else:
            example = examples.get(version, position)
            context = {**_opened(request, version, example), "row": example, "is_open": True}
            return render(request, "dashboard/datasets/examples/_row.html", context)
    return _editor(
        request,
        version,
        record,
        problem=problem,
        target=f"#opened-{position}",
        example=example,
        seen=request.POST.get("seen") or drafts.revision(example),
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.DATA)
def add(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """A new row, written here, behind all others of a draft."""
    version = version_of(pk, number)
    record, problem = skeleton(Kind(version.kind)), ""
    if request.method == "POST":
        try:
            record = _written(request, record)
            drafts.add(
                version,
                record=record,
                actor=reader(request),
                licence=request.POST.get("licence", ""),
            )
        except TrainerBotError as error:
            problem = str(error)
        else:
            return lead_to(f"{_address(version)}?at={version.examples.last_position()}")
    return _editor(request, version, record, problem=problem, target="#dialog-body")


def filter_of(given: QueryDict) -> Filter:
    """The filter that an address or a form names."""
    return Filter(**{name: given.get(name, "") for name in FIELDS})


def _written(request: HttpRequest, record: dict[str, Any]) -> dict[str, Any]:
    """What a form makes of `record`: the JSON that was written, or its words put into it."""
    written = request.POST.get("json", "")
    return read_json(written) if written else apply(record, request.POST)


def _editor(
    request: HttpRequest,
    version: DatasetVersion,
    record: dict[str, Any],
    *,
    problem: str,
    target: str,
    **more: Any,
) -> HttpResponse:
    """The form; after a refusal it comes back with what was written, to where it was."""
    written = request.POST.get("json", "")
    context = {
        "dataset": version.dataset,
        "version": version,
        "fields": fields_of(record, Kind(version.kind)),
        "json": written or indented(record),
        "as_json": bool(written),
        "problem": problem,
        **more,
    }
    status = 422 if problem else 200
    response = render(request, "dashboard/datasets/examples/_edit.html", context, status=status)
    if problem:
        response["HX-Retarget"] = target
        response["HX-Reswap"] = "innerHTML"
    return response


def _page(request: HttpRequest, version: DatasetVersion) -> dict[str, Any]:
    chosen = filter_of(request.GET)
    at = whole_number(request.GET.get("at", ""))
    opened = whole_number(request.GET.get("open", ""))
    opened = at if opened is None else opened
    after, before = request.GET.get("after", ""), request.GET.get("before", "")
    if at and chosen.is_empty and not after and not before:
        after = str(at - 1)
    found = examples.find(version, chosen=chosen, after=after, before=before)
    example = next((row for row in found.rows if row.position == opened), None)
    door: Door = request.door  # type: ignore[attr-defined]  # set by `requires`
    context: dict[str, Any] = {
        "dataset": version.dataset,
        "version": version,
        "chosen": chosen,
        "hidden": [(n, getattr(chosen, n)) for n in FIELDS if getattr(chosen, n)],
        "groups": _chips(version, chosen),
        "rows": found.rows,
        "label_names": list((version.summary.get("labels") or {}).get("counts", {})),
        "found": found,
        "can_edit": version.is_draft and door.may.get("data", False),
        "undoable": version.is_draft and drafts.undoable(version) is not None,
        "newer": _query(chosen, before=found.before) if found.before else "",
        "older": _query(chosen, after=found.after) if found.after else "",
        "opened_at": opened if example is not None else None,
    }
    if example is not None:
        context |= _opened(request, version, examples.get(version, example.position))
    return context


def _opened(request: HttpRequest, version: DatasetVersion, example: Example) -> dict[str, Any]:
    door: Door = request.door  # type: ignore[attr-defined]  # set by `requires`
    return {
        "dataset": version.dataset,
        "version": version,
        "example": example,
        "shown": show(example.record, Kind(version.kind)),
        "can_edit": version.is_draft and door.may.get("data", False),
        "is_removed": example.removed_by_id is not None,
    }


def _chips(version: DatasetVersion, chosen: Filter) -> list[tuple[str, list[Chip]]]:
    """The filters, by what they are about; those that let nothing through are left out."""
    summary = version.summary
    labels = list((summary.get("labels") or {}).get("counts", {}).items())[:SHOWN_LABELS]
    if chosen.label and chosen.label not in dict(labels):
        labels.append((chosen.label, None))
    parts = [(part, None) for part in PARTS] if version.split else []
    sources = list((summary.get("sources") or {}).items())
    counts = _marked(version)
    groups = [
        ("label", "Label", [(label, label, n) for label, n in labels]),
        ("part", "Part", [(part, part, n) for part, n in parts]),
        (
            "source",
            "Source",
            [(name, _source(name), n) for name, n in sources] if len(sources) > 1 else [],
        ),
        (
            "marked",
            "Marked",
            [
                (name, title, counts.get(name))
                for name, title in MARKS
                if counts.get(name) != 0 or chosen.marked == name
            ],
        ),
    ]
    return [
        (title, [_chip(chosen, field, *option) for option in options])
        for field, title, options in groups
        if options
    ]


def _marked(version: DatasetVersion) -> dict[str, int | None]:
    """How many rows have which mark; None where that is not known yet."""
    summary = version.summary
    duplicates = summary.get("duplicates") or {}
    lengths = summary.get("lengths") or {}
    n_duplicates = (duplicates.get("exact") or 0) + (duplicates.get("near") or 0)
    is_draft = version.is_draft
    return {
        "duplicate": n_duplicates if duplicates else None,
        "private": (summary.get("private") or {}).get("rows"),
        "short": lengths.get("short"),
        "long": lengths.get("long"),
        "edited": None,
        "removed": None if is_draft else 0,
    }


def _chip(chosen: Filter, field: str, value: str, title: str, n: int | None) -> Chip:
    active = getattr(chosen, field) == value
    query = _query(chosen, **{field: "" if active else value})
    return Chip(title, query, active, n)


def _source(name: str) -> str:
    return str(Provenance.Source(name).label) if name in Provenance.Source.values else name


def _query(chosen: Filter, **changes: str) -> str:
    values = {name: getattr(chosen, name) for name in FIELDS} | changes
    return "?" + urlencode({name: value for name, value in values.items() if value})


def _address(version: DatasetVersion) -> str:
    return reverse("dataset-examples", args=[version.dataset_id, version.number])
