"""What a correction and a model have to show for themselves, and pictures of it to post."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from dashboard.services import proofs
from dashboard.services.access import Permission
from dashboard.services.proofs import Look, ModelProof, Proof
from dashboard.views.corrections.queue import visible
from dashboard.views.doors import reader, requires


@require_GET
@requires(Permission.PROPOSE)
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    """One correction, for whoever may see it."""
    found = visible(request, pk)
    proof = proofs.of_correction(found)
    look = _look(request, proofs.look_for(proof, reader(request)))
    context = {
        "correction": found,
        "proof": proof,
        "look": look,
        "picture": f"{reverse('correction-proof-picture', args=[pk])}?{_chosen(look)}",
    }
    return render(request, "dashboard/proofs/correction.html", context | _size())


@require_GET
@requires(Permission.PROPOSE)
def correction_picture(request: HttpRequest, pk: int) -> HttpResponse:
    """The same as a PNG."""
    proof = proofs.of_correction(visible(request, pk))
    look = _look(request, proofs.look_for(proof, reader(request)))
    known = _known(request, proof, look)
    if known is not None:
        return known
    return _picture(
        request, proof, look, proofs.correction_picture(proof, look), f"correction-{pk}"
    )


@require_GET
@requires(Permission.VIEW)
def model(request: HttpRequest) -> HttpResponse:
    """One model; its name is in the query, since it may hold any sign."""
    proof = proofs.of_model(request.GET.get("model", ""))
    look = _look(request, Look())
    query = urlencode({"model": proof.model, "dark": int(look.dark)})
    context = {
        "proof": proof,
        "look": look,
        "picture": f"{reverse('model-proof-picture')}?{query}",
    }
    return render(request, "dashboard/proofs/model.html", context | _size())


@require_GET
@requires(Permission.VIEW)
def model_picture(request: HttpRequest) -> HttpResponse:
    proof = proofs.of_model(request.GET.get("model", ""))
    look = _look(request, Look())
    known = _known(request, proof, look)
    if known is not None:
        return known
    png = proofs.model_picture(proof, dark=look.dark)
    return _picture(request, proof, look, png, proof.model)


def _look(request: HttpRequest, at_first: Look) -> Look:
    """What the address asks for; what it does not name is as it is at first."""
    asked = request.GET

    def chosen(name: str, otherwise: bool) -> bool:
        # A box that is not ticked is not sent, so the form says that it was one.
        return asked.get(name, "") == "1" if name in asked or "chosen" in asked else otherwise

    return Look(
        names=chosen("names", at_first.names),
        words=chosen("words", at_first.words),
        dark=chosen("dark", at_first.dark),
    )


def _chosen(look: Look) -> str:
    return urlencode({"names": int(look.names), "words": int(look.words), "dark": int(look.dark)})


def _size() -> dict[str, int]:
    return {"width": proofs.WIDTH, "height": proofs.HEIGHT}


def _tag(proof: Proof | ModelProof, look: Look) -> str:
    return f'"{proofs.address(proof, look)}"'


def _known(request: HttpRequest, proof: Proof | ModelProof, look: Look) -> HttpResponse | None:
    """304 for a browser that has this very picture, so that nothing is drawn for it."""
    found = get_conditional_response(request, etag=_tag(proof, look))
    return (
        None if found is None else _private(HttpResponse(status=304, headers=dict(found.items())))
    )


def _picture(
    request: HttpRequest, proof: Proof | ModelProof, look: Look, png: bytes, name: str
) -> HttpResponse:
    response = HttpResponse(png, content_type="image/png")
    response["ETag"] = _tag(proof, look)
    response["X-Content-Type-Options"] = "nosniff"
    is_fetched = "download" in request.GET
    filename = f"proof-{name}.png"
    if (shown := content_disposition_header(is_fetched, filename)) is not None:
        response["Content-Disposition"] = shown
    return _private(response)


def _private(response: HttpResponse) -> HttpResponse:
    """Kept by this browser alone, and asked for each time: words that are erased are gone."""
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie"])
    return response
