"""What is done to a draft, and to a frozen version to get one."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from dashboard.forms.datasets import FreezeForm, SplitForm
from dashboard.models import DatasetEdit, DatasetVersion
from dashboard.services import drafts, examples
from dashboard.services.access import Permission
from dashboard.views.datasets.examples import filter_of
from dashboard.views.datasets.found import version_of
from dashboard.views.datasets.versions import address
from dashboard.views.doors import is_htmx, reader, requires, show_anew
from trainerbot.errors import InvalidInput


@require_POST
@requires(Permission.DATA)
def copy(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Make a draft of a frozen version; a large one comes into sight once it is whole."""
    draft = drafts.copy(version_of(pk, number), actor=reader(request))
    if draft.is_whole:
        messages.success(request, f"Version {draft.number} is a draft with the same examples.")
        return redirect(address(draft))
    messages.info(
        request, f"Version {draft.number} is being made; it appears here as soon as it is whole."
    )
    return redirect("dataset-detail", pk=pk)


@require_POST
@requires(Permission.DATA)
def freeze(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_of(pk, number)
    form = FreezeForm(request.POST)
    if not form.is_valid():
        raise InvalidInput("A note has 2,000 characters at most.")
    task = drafts.start_freezing(version, actor=reader(request), note=form.cleaned_data["note"])
    if task is not None:
        messages.info(request, f"{version} is being frozen. Nothing in it changes meanwhile.")
        return redirect(address(version))
    messages.success(request, f"{version} is frozen. It can be trained on, and never changes.")
    if request.POST.get("then") == "finetune":
        return redirect(f"{reverse('job-new')}?dataset={pk}")
    return redirect(address(version))


@require_POST
@requires(Permission.DATA)
def discard(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_of(pk, number)
    drafts.discard(version, actor=reader(request))
    messages.success(request, f"{version} was discarded.")
    if version.dataset.latest() is None:
        return redirect("dataset-list")
    return redirect("dataset-detail", pk=pk)


@require_POST
@requires(Permission.DATA)
def undo(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _edited(request, version_of(pk, number), lambda v: drafts.undo(v, actor=reader(request)))


@require_POST
@requires(Permission.DATA)
def redo(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _edited(request, version_of(pk, number), lambda v: drafts.redo(v, actor=reader(request)))


@require_POST
@requires(Permission.DATA)
def stop(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Stop a long edit; what it did already is taken back."""
    version = version_of(pk, number)
    drafts.cancel(version, actor=reader(request))
    messages.info(request, "It is asked to stop. What it did already is taken back.")
    return _back(request, version)


@require_POST
@requires(Permission.DATA)
def deduplicate(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    near = "near" in request.POST
    return _edited(
        request,
        version_of(pk, number),
        lambda v: drafts.deduplicate(v, actor=reader(request), near=near),
    )


@require_POST
@requires(Permission.DATA)
def mask(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    return _edited(request, version_of(pk, number), lambda v: drafts.mask(v, actor=reader(request)))


@require_POST
@requires(Permission.DATA)
def split(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    version = version_of(pk, number)
    form = SplitForm(request.POST)
    if not form.is_valid():
        raise InvalidInput(" ".join(str(text) for texts in form.errors.values() for text in texts))
    return _edited(
        request,
        version,
        lambda v: drafts.split(
            v, shares=form.shares(), seed=form.cleaned_data["seed"], actor=reader(request)
        ),
    )


@require_POST
@requires(Permission.DATA)
def selection(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Remove, mask or relabel the ticked rows, or all that the filter lets through."""
    version = version_of(pk, number)
    given = request.POST
    chosen: examples.Filter | list[int] = filter_of(given) if "all" in given else _positions(given)
    actor = reader(request)
    match given.get("act", ""):
        case "remove":
            return _edited(request, version, lambda v: drafts.remove(v, chosen=chosen, actor=actor))
        case "mask":
            return _edited(request, version, lambda v: drafts.mask(v, chosen=chosen, actor=actor))
        case "relabel":
            label = given.get("label", "")
            return _edited(
                request,
                version,
                lambda v: drafts.relabel(v, chosen=chosen, label=label, actor=actor),
            )
        case _:
            raise InvalidInput("Say what is to be done with the selected examples.")


def _edited(
    request: HttpRequest, version: DatasetVersion, act: Callable[[DatasetVersion], DatasetEdit]
) -> HttpResponse:
    """Do it, say what it changed, and show the page anew."""
    edit = act(version)
    if not edit.is_done:
        messages.info(request, f"{edit.get_verb_display()}: this takes a while; it goes on here.")
    elif edit.undone_at is not None:
        messages.success(request, f"Taken back: {_told(edit)}.")
    else:
        messages.success(request, f"{_told(edit)}. You can undo it.")
    return _back(request, version)


def _told(edit: DatasetEdit) -> str:
    return f"{edit.get_verb_display()}, {edit.n_rows:,} example{'' if edit.n_rows == 1 else 's'}"


def _back(request: HttpRequest, version: DatasetVersion) -> HttpResponse:
    if is_htmx(request):
        return show_anew()
    return redirect(address(version))


def _positions(given: QueryDict) -> list[int]:
    return [int(each) for each in given.getlist("position") if each.isascii() and each.isdecimal()]
