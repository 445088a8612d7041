"""Suites of tests: listed, made, read; and how a correction is judged."""

from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from dashboard.forms.suites import JudgeForm, SplitSuiteForm, UploadSuiteForm
from dashboard.models import Suite, SuiteRun
from dashboard.services import corrections, suites
from dashboard.services.access import Permission
from dashboard.services.paging import page
from dashboard.services.suites import library
from dashboard.views.doors import is_htmx, reader, requires, show_anew


@require_GET
@requires(Permission.VIEW)
def list_(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/suites/list.html", _rows(request))


@require_GET
@requires(Permission.VIEW)
def rows(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboard/suites/_rows.html", _rows(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.DATA)
def new(request: HttpRequest) -> HttpResponse:
    """Make a suite of a file, or of a held-out part."""
    is_split = request.POST.get("way") == "split"
    upload = UploadSuiteForm(*((request.POST, request.FILES) if _posted(request, "file") else ()))
    split = SplitSuiteForm(request.POST if _posted(request, "split") else None)
    version = None
    if is_split and split.is_valid():
        version = split.attempt(
            lambda: suites.from_split(
                source=split.cleaned_data["source"],
                part=split.cleaned_data["part"],
                actor=reader(request),
            )
        )
    elif request.method == "POST" and not is_split and upload.is_valid():
        file = upload.cleaned_data["file"]
        version = upload.attempt(
            lambda: suites.upload(
                name=upload.cleaned_data["name"],
                data=file.read(),
                filename=file.name or "",
                actor=reader(request),
            )
        )
    if version is not None:
        return redirect("suite-version", pk=version.pk)
    status = 422 if request.method == "POST" else 200
    context = {"upload": upload, "split": split}
    return render(request, "dashboard/suites/form.html", context, status=status)


@require_GET
@requires(Permission.VIEW)
def version(request: HttpRequest, pk: int) -> HttpResponse:
    found = library.get(pk)
    context = _cases(request, pk) | {
        "versions": found.suite.versions.order_by("-number")[:20],
        "runs": SuiteRun.objects.filter(version=found)
        .select_related("task", "version__suite")
        .order_by("-pk")[:20],
    }
    return render(request, "dashboard/suites/version.html", context)


@require_GET
@requires(Permission.VIEW)
def cases(request: HttpRequest, pk: int) -> HttpResponse:
    """One page of a version's cases."""
    return render(request, "dashboard/suites/_cases.html", _cases(request, pk))


@require_http_methods(["GET", "POST"])
@requires(Permission.REVIEW)
def judge(request: HttpRequest, pk: int) -> HttpResponse:
    """How the answer to a correction's question is judged, in a dialog."""
    correction = corrections.visible_to(reader(request)).filter(pk=pk).first()
    if correction is None:
        raise corrections.no_such()
    form = JudgeForm(
        request.POST or None, initial=JudgeForm.initial_of(correction.judge, correction.judge_args)
    )
    if request.method == "POST" and form.is_valid():
        changed = form.attempt(
            lambda: suites.set_judge(
                correction,
                judge=form.cleaned_data["judge"],
                args=form.args(),
                actor=reader(request),
            )
        )
        if changed is not None:
            return show_anew() if is_htmx(request) else redirect("correction-detail", pk=pk)
    status = 422 if form.is_bound else 200
    context = {"form": form, "correction": correction}
    return render(request, "dashboard/suites/_judge.html", context, status=status)


def _posted(request: HttpRequest, way: str) -> bool:
    return request.method == "POST" and request.POST.get("way", "file") == way


def _rows(request: HttpRequest) -> dict[str, object]:
    told = Suite.objects.select_related("guild").annotate(
        n_versions=Count("versions"), newest=Max("versions__pk")
    )
    found = page(
        told.exclude(newest=None),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    return {"page": found, "suites": found.rows}


def _cases(request: HttpRequest, pk: int) -> dict[str, object]:
    version = library.get(pk)
    found = page(
        version.cases.select_related("correction", "channel"),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
        key="position",
        newest_first=False,
    )
    return {"version": version, "page": found}
