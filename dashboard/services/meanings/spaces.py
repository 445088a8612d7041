"""The space in force: which model's vectors are compared, and how they are made comparable."""

import hashlib
import logging
import threading
from decimal import Decimal

from django.conf import settings
from django.db.models import F

from dashboard.models import MeaningSettings, ModelPrice
from dashboard.services import outbox, prices, providers
from dashboard.services.meanings import asking
from trainerbot.endpoints import Endpoint
from trainerbot.errors import InvalidInput, NotFound
from trainerbot.retrieval.calibration import Calibration
from trainerbot.retrieval.meaning import Space

TOPIC = "meanings"
ONLY_WORDS = "words"
"""The value of RECALL_EMBEDDINGS that leaves meaning out, whatever is chosen on the page."""

log = logging.getLogger(__name__)
_lock = threading.Lock()
_kept: tuple[tuple[str, Endpoint], Space] | None = None


def is_allowed() -> bool:
    """Whether questions may be compared by meaning at all."""
    return bool(settings.RECALL_EMBEDDINGS != ONLY_WORDS)


def space() -> Space | None:
    """Where meanings are compared in this process; None where only words are."""
    global _kept
    if not is_allowed():
        return None
    row = MeaningSettings.objects.filter(pk=1).exclude(space="")
    found = row.values_list("space", "space_endpoint", "space_model").first()
    if found is None:
        return None
    name, endpoint_name, model = found
    try:
        endpoint = providers.named(endpoint_name)
    except (NotFound, InvalidInput) as error:
        log.warning("Questions are compared by words: %s", error)
        return None
    with _lock:
        if _kept is None or _kept[0] != (name, endpoint):
            kept = row.filter(space=name).values_list("calibration", flat=True).first()
            if kept is None:  # another model came into force just now
                return None
            calibration = Calibration.from_bytes(bytes(kept))
            asked = asking.AskedModel(
                endpoint, model, name=name, n_dimensions=calibration.n_dimensions
            )
            _kept = (name, endpoint), Space(asked, calibration, embeds_late=False)
        return _kept[1]


def outgrown(error: asking.WrongDimensions) -> None:
    """Put out of force what a model's vectors fit no more; the worker calibrates it anew."""
    row = MeaningSettings.objects.filter(pk=1, space=error.space)
    if row.update(space="", problem=str(error)[:500]):
        outbox.publish(TOPIC, "meanings.changed")


def name_of(endpoint: Endpoint, model: str, calibration: bytes) -> str:
    """Return what the vectors of a model are called: another name for any other vectors."""
    told = hashlib.sha256(f"{endpoint.base_url}\n{model}\n".encode() + calibration).hexdigest()
    return f"{told[:16]} {model[:80]}"


def count_spent() -> None:
    """Write down the tokens, and what they cost, that models read for this process.

    Call it now and then, off the event loop. Raises DatabaseError; then all
    is counted the next time.
    """
    taken = asking.take_tokens()
    if not any(taken.values()):
        return
    try:
        known = {price.model: price for price in ModelPrice.objects.filter(model__in=taken)}
        cost = sum(
            (
                prices.cost(known, model=model, prompt_tokens=n, completion_tokens=0) or Decimal(0)
                for model, n in taken.items()
            ),
            Decimal(0),
        )
        MeaningSettings.objects.filter(pk=1).update(
            n_tokens=F("n_tokens") + sum(taken.values()), cost_usd=F("cost_usd") + cost
        )
    except BaseException:
        asking.give_back_tokens(taken)
        raise
