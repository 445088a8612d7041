"""Models that are switched off: what is said ahead, and trying what takes their place."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.replacements import ReplacementForm
from dashboard.models import Verdict
from dashboard.services import retirements, verdicts
from dashboard.services.access import Permission
from dashboard.views.doors import reader, requires, whole_number
from trainerbot.errors import InvalidInput


@require_GET
@requires(Permission.VIEW)
def warnings(request: HttpRequest) -> HttpResponse:
    """What is said on several pages, anew."""
    guild_id = whole_number(request.GET.get("guild", ""))
    context = {"retiring": retirements.warned(guild_id=guild_id), "guild_id": guild_id}
    return render(request, "dashboard/models/_retiring.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.TRAIN)
def new(request: HttpRequest) -> HttpResponse:
    """Choose what takes a model's place, and have both asked."""
    form = ReplacementForm(
        request.POST or None,
        initial={"model": _model(request), "replacement": request.GET.get("replacement", "")},
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        verdict = form.attempt(
            lambda: retirements.begin(
                given["model"],
                given["replacement"],
                alias=given.get("alias"),
                actor=reader(request),
            )
        )
        if verdict is not None:
            return redirect("model-replacement", pk=verdict.pk)
    old = _model(request)
    last = retirements.Days().of(old)
    context = {
        "form": form,
        "old": old,
        "said": retirements.sentence(last.root, last.day) if last else "",
        "tried": retirements.latest(old),
    }
    status = 422 if form.is_bound else 200
    return render(request, "dashboard/models/replace.html", context, status=status)


@require_GET
@requires(Permission.TRAIN)
def price(request: HttpRequest) -> HttpResponse:
    """What a trial would ask and cost, as far as the form is filled in."""
    found, error = None, ""
    if request.GET.get("replacement", "").strip():
        number = whole_number(request.GET.get("alias", ""))
        old = _model(request)
        alias = next((each for each in retirements.aliases_of(old) if each.pk == number), None)
        try:
            found = retirements.plan(old, request.GET["replacement"], alias=alias)
        except InvalidInput as refused:
            error = str(refused)
    context = {"plan": found, "error": error}
    return render(request, "dashboard/models/_replace_price.html", context)


@require_GET
@requires(Permission.VIEW)
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """How both did, side by side, and the ways to let the new one answer."""
    return render(request, "dashboard/models/replacement.html", _context(pk))


@require_GET
@requires(Permission.VIEW)
def card(request: HttpRequest, pk: int) -> HttpResponse:
    return render(request, "dashboard/models/_replacement.html", _context(pk))


def _context(pk: int) -> dict[str, object]:
    verdict: Verdict = retirements.find(pk)
    return {
        "verdict": verdict,
        "suites": verdicts.told(verdict),
        "progress": verdicts.progress(verdict),
        "aliases": retirements.aliases_of(verdict.base_model),
    }


def _model(request: HttpRequest) -> str:
    """The model whose place is to be taken. Raises InvalidInput where none is named."""
    model = (request.POST.get("model") or request.GET.get("model") or "").strip()
    if not model or len(model) > 200 or not model.isprintable():
        raise InvalidInput("No model was named. Choose one under Models.")
    return model
