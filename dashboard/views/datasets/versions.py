"""The page of one version: what it is, what was found in it, where it came from, what it made."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard.forms.datasets import FreezeForm, PermitForm, SplitForm
from dashboard.models import Dataset, DatasetVersion
from dashboard.services import assistant, datasets, drafts, examples, provenance, providers
from dashboard.services.access import Permission
from dashboard.views.datasets import exported
from dashboard.views.datasets.charts import bars, histogram
from dashboard.views.datasets.found import dataset_of, version_of
from dashboard.views.doors import is_htmx, reader, requires, show_anew, whole_number
from trainerbot.curation import PARTS
from trainerbot.errors import NotFound

SHOWN_VERSIONS = 50
SHOWN_JOBS = 10
SHOWN_EDITS = 50
SHOWN_SHARES = 30
SHOWN_EXAMPLES = 5
EPOCHS = (1, 3)


@dataclass(frozen=True, slots=True)
class Cost:
    """What training may cost: for each number of epochs, in the currency of the price."""

    is_free: bool
    price: Decimal | None
    totals: list[tuple[int, Decimal]]


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest version of a dataset, or the one that `?version=` names."""
    dataset = dataset_of(pk)
    wanted = request.GET.get("version", "")
    latest = None if wanted else dataset.latest()
    if not wanted and latest is None:
        return render(request, "dashboard/datasets/versions/none.html", {"dataset": dataset})
    number = latest.number if latest else whole_number(wanted)
    if number is None:
        raise NotFound(f"{dataset.name} has no such version.")
    version = version_of(pk, number)
    return render(request, "dashboard/datasets/versions/detail.html", _context(dataset, version))


@require_GET
@requires(Permission.VIEW)
def summary(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The live part of the page: what the examination has found so far."""
    version = version_of(pk, number)
    context = {"dataset": version.dataset, "version": version, **_summary(version)}
    return render(request, "dashboard/datasets/versions/_summary.html", context)


@require_GET
@requires(Permission.DATA)
def draft(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The live banner of a draft; once that is frozen, the whole page comes anew."""
    version = version_of(pk, number)
    if not version.is_draft:
        return show_anew()
    context = {
        "dataset": version.dataset,
        "version": version,
        "topic": datasets.topic(version),
        **_edits(version),
    }
    return render(request, "dashboard/datasets/versions/_draft.html", context)


@require_GET
@requires(Permission.VIEW)
def sources(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Whence the rows come; apart, since all of a large version's rows are counted for it."""
    context = _sources(version_of(pk, number))
    return render(request, "dashboard/datasets/versions/_sources.html", context)


@require_POST
@requires(Permission.PERMIT)
def permit(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Record in an admin's words that Discord permits training on these messages."""
    version = version_of(pk, number)
    form = PermitForm(request.POST)
    if form.is_valid():
        n_rows = form.attempt(
            lambda: provenance.permit(
                version, permission=form.cleaned_data["permission"], actor=reader(request)
            )
        )
        if n_rows is not None:
            messages.success(request, f"The permission for {n_rows:,} examples was recorded.")
            if is_htmx(request):
                return show_anew()
            return redirect(address(version))
    context = {**_sources(version), "permit_form": form}
    return render(request, "dashboard/datasets/versions/_sources.html", context, status=422)


def address(version: DatasetVersion) -> str:
    return f"{reverse('dataset-detail', args=[version.dataset_id])}?version={version.number}"


def _context(dataset: Dataset, version: DatasetVersion) -> dict[str, Any]:
    versions = dataset.versions.select_related("created_by", "parent").order_by("-number")
    return {
        "dataset": dataset,
        "version": version,
        "versions": versions[:SHOWN_VERSIONS],
        "jobs": version.jobs.order_by("-pk")[:SHOWN_JOBS],
        "sample": examples.find(version, size=SHOWN_EXAMPLES).rows,
        "freeze_form": FreezeForm(),
        **_edits(version),
        "split_form": SplitForm(initial=version.split),
        **exported.context(version),
        **_summary(version),
    }


def _sources(version: DatasetVersion) -> dict[str, Any]:
    shares = provenance.shares(version)
    return {
        "dataset": version.dataset,
        "version": version,
        "shares": shares[:SHOWN_SHARES],
        "n_more_shares": max(0, len(shares) - SHOWN_SHARES),
        "n_forbidden": sum(share.n_rows for share in shares if share.is_forbidden),
        "permit_form": PermitForm(),
    }


def _edits(version: DatasetVersion) -> dict[str, Any]:
    """What was done to a draft, what may be taken back, and what runs just now and how far it is."""
    if not version.is_draft:
        return {"edits": []}
    running = drafts.running(version)
    task = drafts.edit_task(running) if running else drafts.freeze_task(version)
    words = running.get_verb_display() if running else "Freezing" if task else ""
    return {
        "edits": drafts.edits(version)[:SHOWN_EDITS],
        "undoable": drafts.undoable(version) is not None,
        "redoable": drafts.redoable(version) is not None,
        "running": running,
        "busy": words,
        "percent": task.percent if task else None,
    }


def _summary(version: DatasetVersion) -> dict[str, Any]:
    found = version.summary
    tokens = found.get("tokens") or {}
    labels = found.get("labels") or {}
    lengths = found.get("lengths") or {}
    return {
        "summary": found,
        "topic": datasets.topic(version),
        "is_examined": found.get("state") == "done",
        "histogram": histogram(tokens.get("histogram") or []),
        "labels": bars(labels.get("counts") or {}),
        "parts": _parts(version),
        "low": lengths.get("low"),
        "high": lengths.get("high"),
        "cost": _cost(tokens.get("total")),
    }


def _parts(version: DatasetVersion) -> list[Any]:
    """How many rows each part of a split has; empty without a split."""
    if not version.split:
        return []
    rows = version.examples.kept()
    counts = {part: rows.filter(part=part).count() for part in PARTS}
    return bars({part: n for part, n in counts.items() if n})


def _cost(n_tokens: int | None) -> Cost | None:
    if n_tokens is None:
        return None
    price = assistant.current().training_price
    totals = [] if price is None else [(n, price * n_tokens * n / 1_000_000) for n in EPOCHS]
    return Cost(is_free=providers.uses_embedded_server(), price=price, totals=totals)
