"""Runs of suites: listed, started, watched, read, compared, cancelled."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.suites import NewRunForm
from dashboard.models import SuiteRun
from dashboard.services import places, suites
from dashboard.services.access import Permission
from dashboard.services.paging import page
from dashboard.services.suites import changes, estimates, library, offers, votes
from dashboard.views.doors import reader, requires, whole_number
from trainerbot.errors import InvalidInput, NotFound


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/suiteruns/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/suiteruns/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def new(request: HttpRequest) -> HttpResponse:
    form = NewRunForm(
        request.POST or None,
        initial={
            "suite": request.GET.get("suite", ""),
            "model": request.GET.get("model", ""),
            "temperature": 0,
        },
    )
    if request.method == "POST" and form.is_valid():
        run = form.attempt(lambda: _submit(request, form))
        if run is not None:
            return redirect("run-detail", pk=run.pk)
    context = {"form": form, "has_suites": bool(library.choices()) or form.is_bound}
    return render(
        request, "dashboard/suiteruns/form.html", context, status=422 if form.is_bound else 200
    )


@require_GET
@requires(Permission.TRAIN)
def models(request: HttpRequest) -> HttpResponse:
    """What an endpoint offers to ask; apart, since it may be slow."""
    context = {"models": offers.models(request.GET.get("endpoint", ""))}
    return render(request, "dashboard/suiteruns/_models.html", context)


@require_GET
@requires(Permission.TRAIN)
def price(request: HttpRequest) -> HttpResponse:
    """What a run is expected to cost, as far as the form is filled in."""
    asked = request.GET
    version = library.standing(asked.get("suite", ""))
    expected = None
    if version is not None:
        expected = estimates.of_run(
            version,
            places.rules().prices,
            model=asked.get("model", "").strip(),
            judge_model=asked.get("judge_model", "").strip(),
            system_prompt=asked.get("system_prompt", "").strip() or suites.default_prompt(version),
        )
    context = {"version": version, "expected": expected}
    return render(request, "dashboard/suiteruns/_price.html", context)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    context = _progress(pk) | _answers(request, pk)
    run = suites.get(pk)
    others = SuiteRun.objects.filter(version=run.version_id).exclude(pk=pk)
    context["others"] = others.select_related("task").order_by("-pk")[:50]
    return render(request, "dashboard/suiteruns/detail.html", context)


@require_GET
@requires(Permission.VIEW)
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The live part of a run's page."""
    return render(request, "dashboard/suiteruns/_progress.html", _progress(pk))


@require_GET
@requires(Permission.VIEW)
def answers(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of a run's answers."""
    return render(request, "dashboard/suiteruns/_answers.html", _answers(request, pk))


@require_POST
@requires(Permission.TRAIN)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    run = suites.cancel(suites.get(pk), actor=reader(request))
    return redirect("run-detail", pk=run.pk)


@require_GET
@requires(Permission.VIEW)
def compare(request: HttpRequest) -> HttpResponse:
    """Two runs of one version: who wins, and the answers that changed, side by side."""
    first, second = both(request)
    try:
        comparison = suites.compare(first, second)
    except InvalidInput:
        comparison = None  # nothing is judged of both yet: people may judge all the same
    show = request.GET.get("show", "changed" if comparison else "words")
    found = changes.page(
        first,
        second,
        show=show,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    context = {
        "first": first,
        "second": second,
        "comparison": comparison,
        "people": votes.tally(first, second),
        "page": found,
        "show": show,
        "tabs": changes.SHOWS,
        "n_to_vote": votes.n_left(first, second, voter=reader(request)),
    }
    return render(request, "dashboard/suiteruns/compare.html", context)


def both(request: HttpRequest) -> tuple[SuiteRun, SuiteRun]:
    """The two runs that an address names as `a` and `b`. Raises NotFound and InvalidInput."""
    numbers = [whole_number(request.GET.get(name, "")) for name in ("a", "b")]
    if None in numbers:
        raise NotFound("Choose two runs to compare.")
    first, second = (suites.get(number or 0) for number in numbers)
    if first.version_id != second.version_id or first.pk == second.pk:
        raise InvalidInput("Choose two different runs of the same version of a suite.")
    return first, second


def _submit(request: HttpRequest, form: NewRunForm) -> SuiteRun:
    given = form.cleaned_data
    return suites.submit(
        version=library.chosen(given["suite"], actor=reader(request)),
        model=given["model"],
        endpoint=given["endpoint"],
        with_recall=given["with_recall"],
        judge_model=given["judge_model"],
        judge_endpoint=given["judge_endpoint"],
        temperature=given["temperature"],
        budget_usd=given["budget_usd"],
        system_prompt=given["system_prompt"] or None,
        created_by=reader(request),
    )


def _rows(request: HttpRequest) -> dict[str, object]:
    found = page(
        SuiteRun.objects.select_related("version__suite", "task"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {"page": found, "runs": found.rows}


def _progress(pk: int) -> dict[str, object]:
    run = suites.get(pk)
    return {
        "run": run,
        "topics": f"{suites.topic(run)} tasks",
        "error": run.error or (run.task.error if run.is_finished else ""),
        "agreements": votes.agreements(run),
        "needs_judge": not run.judge_model and suites.needs_judge_model(run.version),
    }


def _answers(request: HttpRequest, pk: int) -> dict[str, object]:
    run = suites.get(pk)
    show = request.GET.get("show", "wrong")
    found = suites.answers(
        run,
        show=show,
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {
        "run": run,
        "topics": f"{suites.topic(run)} tasks",
        "page": found,
        "show": show,
        "tabs": [
            ("wrong", "Wrong", run.n_judged - run.n_right),
            ("right", "Right", run.n_right),
            ("unjudged", "Not judged", run.n_done - run.n_judged),
            ("all", "All", run.n_done),
        ],
    }
