"""Train on what people taught: what it would be, the button, and how each training goes."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dashboard.forms.trainings import OwnQuestionForm, PermissionForm, TrainForm
from dashboard.models import Alias, Correction, Training
from dashboard.services import corrections, jobs, paging, providers, trainings, verdicts
from dashboard.services.access import Permission
from dashboard.services.trainings import Why, offers, permissions, picking, wording
from dashboard.services.verdicts.asking import MOST_SUITES
from dashboard.views.doors import is_htmx, reader, requires, show_anew
from dashboard.views.jobs.words import METHODS

USUAL_HOLD_OUT = 10
ENOUGH_TO_HOLD_OUT = 30  # below, each one that is not learned is missed more than the figure helps
WAYS = METHODS | {
    offers.BOTH: (
        "Supervised, then preferences",
        "First the right answers, then, from what came of it, the right ones rather than the "
        "bot's own wrong ones. Two jobs, one after the other.",
    ),
}
# For people: why a correction in force is not learned.
REASONS: Mapping[Why, tuple[str, str]] = {
    Why.DISCORD: ("Discord message content", ""),  # has a panel of its own
    Why.ASKER_ERASED: (
        "Whoever asked had their words deleted",
        "The answer stays in force for recall; the question is not learned. Word it yourself on "
        "the correction's page if it should be.",
    ),
    Why.CHANNEL: (
        "Count in one channel only",
        "A model answers in all channels, so what is right in one alone stays with recall.",
    ),
    Why.CONTRADICTED: (
        "Contradict another one",
        "A newer or narrower correction answers the same question differently, and that one is "
        "learned; where two servers differ, neither is. Take one out of force to be sure.",
    ),
    Why.REPEATED: ("Say the same as a newer one", "Learned once is enough."),
    Why.KNOWN: ("Learned before", "By a model that still exists, and with the same words."),
    Why.TOO_MANY: ("Too many for one training", f"The newest {picking.MOST:,} are learned."),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One reason, with how many there are and the newest of them."""

    title: str
    text: str
    n: int
    rows: list[Correction]

    @property
    def n_more(self) -> int:
        return self.n - len(self.rows)


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    query = request.GET.copy()
    query.setdefault("key", str(uuid.uuid4()))
    return _list(request, query)


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/trainings/_rows.html", _rows(request))


@require_GET
@requires(Permission.TRAIN)
def plan(request: HttpRequest) -> HttpResponse:
    """What a training of these would be; asked apart, since endpoint and corrections take a while."""
    return render(request, "dashboard/trainings/_plan.html", _plan(request.GET))


@require_POST
@requires(Permission.TRAIN)
def begin(request: HttpRequest) -> HttpResponse:
    form = TrainForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        training = form.attempt(
            lambda: trainings.begin(
                trainings.scope_of(given["scope"]),
                base_model=given["base_model"],
                way=given["way"],
                with_known=given["with_known"],
                hold_out=int(given["hold_out"]),
                mixed_in=given["mixed_in"],
                suite_ids=[suite.pk for suite in given["suite_ids"]],
                suffix=given["suffix"],
                again=given["again"],
                key=given["key"],
                actor=reader(request),
            )
        )
        if training is not None:
            return redirect("job-taught", pk=training.pk)
    query = request.POST.copy()
    query.pop("csrfmiddlewaretoken", None)
    return _list(request, query, form)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/trainings/detail.html", _state(trainings.get(pk)))


@require_GET
@requires(Permission.VIEW)
def state(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/trainings/_state.html", _state(trainings.get(pk)))


@require_POST
@requires(Permission.TRAIN)
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    training = trainings.cancel(trainings.get(pk), actor=reader(request))
    return redirect("job-taught", pk=training.pk)


@require_POST
@requires(Permission.PERMIT)
def permit(request: HttpRequest) -> HttpResponse:
    """Record in an admin's words that Discord permits training on such questions."""
    form = PermissionForm(request.POST)
    if form.is_valid():
        words = form.cleaned_data["permission"]
        permitted = form.attempt(
            lambda: permissions.permit(words, actor=reader(request), topic=trainings.TOPIC)
        )
        if permitted is not None:
            messages.success(request, "The permission was recorded.")
            return show_anew() if is_htmx(request) else redirect("job-taught-list")
    context = {"permission_form": form}
    return render(request, "dashboard/trainings/_permit.html", context, status=422)


@require_POST
@requires(Permission.PERMIT)
def forbid(request: HttpRequest) -> HttpResponse:
    permissions.withdraw(actor=reader(request), topic=trainings.TOPIC)
    messages.success(request, "The permission was withdrawn. No later training learns such words.")
    return show_anew() if is_htmx(request) else redirect("job-taught-list")


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def question(request: HttpRequest, pk: int) -> HttpResponse:
    """A correction's question in a reviewer's own words, for training alone."""
    correction = corrections.get(pk)
    form = OwnQuestionForm(
        request.POST or None, initial={"question": correction.own_question}, prefix=f"own-{pk}"
    )
    saved = False
    if request.method == "POST" and form.is_valid():
        words = form.cleaned_data["question"]
        saved = (
            form.attempt(lambda: wording.reword(correction, words, actor=reader(request)))
            is not None
        )
        if saved and not is_htmx(request):
            return redirect("correction-detail", pk=pk)
    context = {"correction": correction, "form": form, "saved": saved}
    status = 422 if form.is_bound and not saved else 200
    return render(request, "dashboard/trainings/_question.html", context, status=status)


# --- what the pages show --------------------------------------------------------------
def _list(request: HttpRequest, query: QueryDict, form: TrainForm | None = None) -> HttpResponse:
    context = {**_rows(request), "form": form, "query": query.urlencode()}
    status = 422 if form is not None else 200
    return render(request, "dashboard/trainings/list.html", context, status=status)


def _rows(request: HttpRequest) -> dict[str, Any]:
    found = paging.page(
        Training.objects.select_related("task", "guild", "verdict", "created_by"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {"page": found, "trainings": found.rows}


def _plan(query: QueryDict) -> dict[str, Any]:
    scope = trainings.scope_of(query.get("scope", ""))
    is_first = "shown" not in query
    with_known = is_first or "with_known" in query
    told = query.get("hold_out", "")
    hold_out = int(told) if told in ("0", "10", "20") else None
    picked = trainings.look(scope, with_known=with_known, hold_out=hold_out or 0)
    if hold_out is None:
        hold_out = USUAL_HOLD_OUT if picked.n_learned >= ENOUGH_TO_HOLD_OUT else 0
        if hold_out:
            picked = trainings.look(scope, with_known=with_known, hold_out=hold_out)
    offered = jobs.base_models()
    wanted = query.get("base_model", "")
    named = next((model for model in offered if model.id == wanted), None)
    base = named or offers.usual_base(offered, scope)
    ways = offers.ways(base) if base else []
    way = query.get("way", "")
    way = way if way in ways else ways[0] if ways else ""
    suite_ids = (
        [suite.pk for suite in offers.general_suites()[:MOST_SUITES]]
        if is_first
        else [int(each) for each in query.getlist("suite_ids") if each.isdecimal()]
    )
    chosen = offers.chosen_suites(suite_ids)
    initial = {
        "key": query.get("key") or uuid.uuid4(),
        "scope": scope.value,
        "with_known": with_known,
        "hold_out": hold_out,
        "mixed_in": query.get("mixed_in") or None,
        "suite_ids": suite_ids,
        "suffix": query.get("suffix", ""),
        "again": "again" in query,
    }
    form = TrainForm(initial=initial)
    endpoint = providers.endpoint()
    is_ours = endpoint.name == "modelserver"
    mixed = offers.datasets_to_mix().filter(pk=_number(query.get("mixed_in", ""))).first()
    n_mixed = offers.n_mixed(mixed, picked.n_learned) if mixed else 0
    permission = permissions.current()
    return {
        "form": form,
        "scope": scope,
        "n_scopes": len(trainings.scopes()),
        "picked": picked,
        "models": offered,
        "base": base,
        "ways": [(each, *WAYS.get(each, (each, ""))) for each in ways],
        "way": way,
        "estimate": offers.estimate(picked, chosen, base_model=base.id, n_mixed=n_mixed)
        if base
        else None,
        "n_mixed": n_mixed,
        "warnings": offers.warnings(picked, way, is_ours=is_ours),
        "is_ours": is_ours,
        "endpoint": endpoint.name,
        "left_out": [
            LeftOut(*REASONS[why], n, picked.left_out.get(why, []))
            for why, n in picked.n_left_out.items()
            if why != Why.DISCORD
        ],
        "n_discord": picked.n_left_out.get(Why.DISCORD, 0),
        "discord": picked.left_out.get(Why.DISCORD, []),
        "permission": permission,
        "permission_form": PermissionForm(),
        "under_way": Training.objects.unfinished().filter(scope=scope.value).first(),
    }


def _number(told: str) -> int:
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else 0


def _state(training: Training) -> dict[str, Any]:
    verdict = training.verdict
    stages = [Training.Stage.PICKING, Training.Stage.FREEZING]
    if training.way != offers.DPO:
        stages.append(Training.Stage.TUNING)
    if training.way.endswith(offers.DPO):
        stages.append(Training.Stage.PREFERRING)
    stages.append(Training.Stage.TESTING)
    stage = Training.Stage(training.stage)
    reached = stages.index(stage) if stage in stages else _reached(training)
    left_out = training.counts.get("left_out", {})
    return {
        "training": training,
        "topic": trainings.topic(training),
        "steps": [
            (each.label, "done" if index < reached else "now" if index == reached else "")
            for index, each in enumerate(stages)
        ],
        "way": WAYS.get(training.way, (training.way, ""))[0],
        "scope": picking.Scope(training.scope, training.guild),
        "left_out": [(REASONS[Why(why)][0], n) for why, n in left_out.items()],
        "verdict": verdict,
        "suites": verdicts.told(verdict) if verdict else [],
        "progress": verdicts.progress(verdict) if verdict else None,
        "aliases": Alias.objects.order_by("name")[:20] if training.model else [],
        "n_erased": training.lessons.filter(correction=None).count(),
        "lessons": training.lessons.filter(correction__isnull=False)
        .select_related("correction")
        .order_by("-pk")[:50],
    }


def _reached(training: Training) -> int:
    """How many steps one that is over has behind it."""
    if training.stage == Training.Stage.SUCCEEDED:
        return 9
    behind = [training.counts, training.job or training.preference_job, training.model]
    return sum(bool(each) for each in behind)
