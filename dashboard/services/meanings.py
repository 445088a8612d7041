"""What the questions of corrections mean, as vectors, where a setting asks for it."""

import logging
import threading

from django.conf import settings
from django.db.models import Q

from dashboard.models import Correction
from dashboard.services import outbox
from trainerbot.errors import ProviderUnavailable
from trainerbot.retrieval.e5 import E5
from trainerbot.retrieval.meaning import Space, packed

TOPIC = "meanings"
AT_ONCE = 50  # a second of one core

log = logging.getLogger(__name__)
_lock = threading.Lock()
_spaces: dict[str, Space | None] = {}


def space() -> Space | None:
    """Where meanings are compared; None where only words are."""
    wanted = settings.RECALL_EMBEDDINGS
    if not wanted:
        return None
    with _lock:
        if wanted not in _spaces:
            try:
                _spaces[wanted] = Space(E5())
            except ProviderUnavailable as error:
                log.warning("%s", error)
                _spaces[wanted] = None
        return _spaces[wanted]


def fill() -> int:
    """Embed some approved corrections that have no vector yet; return how many.

    When the last one has its vector every process reads them all anew.
    """
    where = space()
    if where is None:
        return 0
    rows = Correction.objects.approved().filter(
        ~Q(vector_model=where.name) | Q(vector__isnull=True)
    )
    found = list(rows.order_by("-pk").values_list("pk", "question")[:AT_ONCE])
    if not found:
        return 0
    vectors = where.embed([question for _, question in found])
    for (pk, question), vector in zip(found, vectors, strict=True):
        # A question never changes; asked for all the same, so that no vector can be another's.
        Correction.objects.filter(pk=pk, question=question).update(
            vector=packed(vector), vector_model=where.name
        )
    if len(found) > 1 and not rows.exists():
        outbox.publish(TOPIC, "meanings.known", n=len(found))
    return len(found)
