"""Names under which models answer: what answers there, for whom, since when, and back again."""

from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dashboard.forms.releases import TEST, AliasForm, GuardForm, ReleaseForm
from dashboard.models import Alias, Message, Promotion, Release, ShadowAnswer, SuiteRun
from dashboard.services import paging, releases
from dashboard.services.access import Permission
from dashboard.services.paging import Row
from dashboard.services.releases import history
from dashboard.views.doors import requires
from trainerbot.errors import InvalidInput

Action = Promotion.Action
MOST_TESTS = 10  # shown while they are under way
FIELDS = ("model", "system_prompt", "temperature", "max_tokens")


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return _list(request, AliasForm())


@require_POST
@requires(Permission.SETTINGS)
def create(request: HttpRequest) -> HttpResponse:
    form = AliasForm(request.POST)
    if form.is_valid():
        alias = form.attempt(lambda: releases.create(**form.cleaned_data, actor=_user(request)))
        if alias is not None:
            messages.success(request, f"{alias} exists. Now say what answers there.")
            return redirect("release-detail", name=alias.name)
    return _list(request, form)


def _list(request: HttpRequest, form: AliasForm) -> HttpResponse:
    page = _page(request, Alias.objects.select_related("stable", "canary", "shadow"))
    context = {"page": page, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/releases/list.html", context, status=status)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, name: str) -> HttpResponse:
    alias = releases.get(name)
    shown = _numbered(alias, request.GET.get("release", "")) or alias.stable
    initial = {field: getattr(shown, field) for field in FIELDS} if shown else {}
    if model := request.GET.get("model", ""):
        initial["model"] = model
    if (action := request.GET.get("action", "")) in Action.values:
        initial["action"] = action
    return _detail(request, alias, ReleaseForm(initial=initial))


@require_GET
@requires(Permission.VIEW)
def state(request: HttpRequest, name: str) -> HttpResponse:
    """What answers now, for the open page."""
    alias = releases.get(name)
    return render(request, "dashboard/releases/_state.html", _state(request, alias))


@require_GET
@requires(Permission.SETTINGS)
def price(request: HttpRequest, name: str) -> HttpResponse:
    """What testing it would ask and cost, as far as the form is filled in."""
    alias, form = releases.get(name), ReleaseForm(request.GET)
    form.is_valid()
    given = form.cleaned_data
    context: dict[str, object] = {}
    if given.get("model"):
        asked = Release(alias=alias, **{field: given.get(field) for field in FIELDS})
        asked.system_prompt = asked.system_prompt or ""
        context["n_questions"], context["usd"] = releases.price(asked)
        context["is_asked"] = True
    return render(request, "dashboard/releases/_price.html", context)


@require_POST
@requires(Permission.SETTINGS)
def move(request: HttpRequest, name: str) -> HttpResponse:
    """Make the release that the form describes, and let it answer those whom it says."""
    alias = releases.get(name)
    form = ReleaseForm(request.POST)
    if form.is_valid():
        said = form.attempt(lambda: _move(alias, form, _user(request)))
        if said is not None:
            messages.success(request, said)
            address = reverse("release-detail", args=[alias.name])
            if form.cleaned_data["action"] == TEST:
                # What was tested is what is promoted next, so the form still says it.
                address += f"?release={_drafted(alias, form).number}&action={Action.PROMOTE}"
            return redirect(address)
    return _detail(request, alias, form)


def _move(alias: Alias, form: ReleaseForm, actor: User) -> str:
    given = form.cleaned_data
    release = _drafted(alias, form)
    if given["action"] == TEST:
        return _tested(release, releases.test(release, actor=actor))
    why, percent = given["why"], given["percent"]
    if given["action"] == Action.CANARY:
        return _said(
            releases.start_canary(
                release, percent=percent, actor=actor, why=why, override=given["override"]
            )
        )
    if given["action"] == Action.SHADOW:
        return _said(releases.start_shadow(release, percent=percent, actor=actor, why=why))
    return _said(releases.promote(release, actor=actor, why=why, override=given["override"]))


def _drafted(alias: Alias, form: ReleaseForm) -> Release:
    return releases.draft(alias, **{field: form.cleaned_data[field] for field in FIELDS})


def _tested(release: Release, queued: list[SuiteRun]) -> str:
    if queued:
        known = [run.estimated_usd for run in queued if run.estimated_usd is not None]
        cost = f", for about ${sum(known):.4f}" if len(known) == len(queued) else ""
        if len(queued) == 1:
            return f"One test of it is on its way{cost}. Promote it when it is over."
        return f"{len(queued)} tests of it are on their way{cost}. Promote it when they are over."
    if found := releases.objections(release):
        return " ".join(["It was tested already.", *found])
    return f"{release.model} was tested already, and nothing speaks against it."


@require_POST
@requires(Permission.SETTINGS)
def guard(request: HttpRequest, name: str) -> HttpResponse:
    """Say what a new release is to be tested on, beside the corrections in force."""
    alias = releases.get(name)
    form = GuardForm(request.POST)
    if form.is_valid():
        saved = form.attempt(
            lambda: releases.guard(alias, **form.cleaned_data, actor=_user(request))
        )
        if saved is not None:
            messages.success(request, "The gate is set.")
            return redirect("release-detail", name=alias.name)
    return _detail(request, alias, ReleaseForm(), form)


@require_POST
@requires(Permission.SETTINGS)
def roll_back(request: HttpRequest, name: str) -> HttpResponse:
    """One click: what answered before answers again, everywhere, from the next message on."""
    alias = releases.get(name)
    number = request.POST.get("to", "")
    target = _numbered(alias, number)
    if number and target is None:
        raise InvalidInput("There is no such release under this name.")
    moved = releases.roll_back(alias, to=target, actor=_user(request))
    messages.success(request, _said(moved))
    return redirect("release-detail", name=alias.name)


def _numbered(alias: Alias, number: str) -> Release | None:
    is_number = number.isascii() and number.isdecimal() and len(number) < 10
    return alias.releases.filter(number=number).first() if is_number else None


@require_POST
@requires(Permission.SETTINGS)
def stop(request: HttpRequest, name: str) -> HttpResponse:
    """End the canary or the shadow, as `what` says."""
    alias = releases.get(name)
    what = request.POST.get("what", "")
    if what not in ("canary", "shadow"):
        raise InvalidInput("Either the canary or the shadow can be stopped.")
    stopping = releases.stop_canary if what == "canary" else releases.stop_shadow
    messages.success(request, _said(stopping(alias, actor=_user(request))))
    return redirect("release-detail", name=alias.name)


@require_POST
@requires(Permission.SETTINGS)
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Forget a name that no place asks for."""
    alias = releases.get(name)
    releases.delete(alias, actor=_user(request))
    messages.success(request, f"@{name} is deleted.")
    return redirect("release-list")


@dataclass(frozen=True, slots=True)
class Compared:
    """One question, and what both said to it."""

    shadow: ShadowAnswer
    live: Message | None


@require_GET
@requires(Permission.VIEW)
def shadows(request: HttpRequest, name: str) -> HttpResponse:
    """What people were answered, beside what the shadow would have said."""
    alias = releases.get(name)
    asked = ShadowAnswer.objects.filter(release__alias=alias).exclude(answer="", error="")
    page = _page(request, asked.select_related("release", "question"))
    live = history.answers_to([row.question_id for row in page.rows])
    compared = [Compared(row, live.get(row.question_id)) for row in page.rows]
    context = {"alias": alias, "page": page, "compared": compared}
    return render(request, "dashboard/releases/shadows.html", context)


def _detail(
    request: HttpRequest, alias: Alias, form: ReleaseForm, guard_form: GuardForm | None = None
) -> HttpResponse:
    guard_form = guard_form or GuardForm(
        initial={
            "suites": alias.suites.all(),
            "margin": alias.margin,
            "judge_model": alias.judge_model,
        }
    )
    context = _state(request, alias) | {"form": form, "guard_form": guard_form}
    status = 422 if form.is_bound or guard_form.is_bound else 200
    return render(request, "dashboard/releases/detail.html", context, status=status)


def _state(request: HttpRequest, alias: Alias) -> dict[str, object]:
    moves = alias.promotions.select_related("release", "previous")
    page = _page(request, moves)
    return {
        "alias": alias,
        "page": page,
        "history": history.told(alias, page.rows),
        "places": releases.places_with(alias),
        "stable_percent": 100 - alias.canary_percent,
        "back": releases.before(alias),
        "watched": history.watched(alias),
        "tests": releases.being_tested(alias)[:MOST_TESTS],
    }


def _page(request: HttpRequest, rows: QuerySet[Row]) -> paging.Page[Row]:
    return paging.page(
        rows, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )


def _said(moved: Promotion) -> str:
    release: Release = moved.release
    match moved.action:
        case Action.PROMOTE | Action.ROLL_BACK:
            return f"{release.model} answers under {moved.alias} from the next message on."
        case Action.CANARY:
            return f"{release.model} answers {moved.percent} of 100 people under {moved.alias} now."
        case Action.SHADOW:
            return f"{release.model} is asked {moved.percent} of 100 questions, unseen."
    return f"{release.model} is asked no more."


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
