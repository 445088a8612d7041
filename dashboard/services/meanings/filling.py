"""The worker's part: calibrate the model that is wanted, and embed what is approved."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

from django.db import DatabaseError, connections
from django.db.models import Q

from dashboard.models import Correction, MeaningSettings, OutboxEvent
from dashboard.services import corrections, outbox, processes, providers
from dashboard.services.meanings import asking, choosing, spaces
from trainerbot.endpoints import Endpoint
from trainerbot.errors import ProviderRefused, TrainerBotError
from trainerbot.retrieval.calibration import Calibration
from trainerbot.retrieval.meaning import Space, packed

AT_ONCE: Final = 100
LOOKS_EVERY_S: Final = 0.5
"""For what was approved or chosen: in force by meaning within a second."""

ASKS_EVERY_S: Final = 60.0
"""For whether our own server has a model now, where it had none or did not answer."""

DUTY: Final = f"{processes.DUTY}vectors"
"""One worker at a time: each text that two would embed is paid for twice."""

By = MeaningSettings.By
log = logging.getLogger(__name__)


def fill() -> int:
    """Take one step: bring the wanted model into force, or embed up to AT_ONCE corrections.

    Return how many were embedded; 0 when there is nothing left. Each step is
    kept, so whoever is stopped goes on where it was. A few new ones are told
    of one by one; after many, each process reads all anew, once. Raises
    ProviderUnavailable and ProviderRefused; the row says why, in words.
    """
    try:
        made = _step()
    except asking.WrongDimensions as error:
        spaces.outgrown(error)
        raise
    except TrainerBotError as error:
        MeaningSettings.objects.filter(pk=1).exclude(problem=str(error)[:500]).update(
            problem=str(error)[:500]
        )
        raise
    finally:
        spaces.count_spent()
    MeaningSettings.objects.filter(pk=1).exclude(problem="").update(problem="")
    return made


def _step() -> int:
    row = choosing.current()
    wanted = _wanted(row)
    if wanted is None:
        if row.space:
            MeaningSettings.objects.filter(pk=1).update(space="", calibration=None)
            outbox.publish(spaces.TOPIC, "meanings.changed")
        return 0
    endpoint, model = wanted
    is_in_force = row.space and (row.space_endpoint, row.space_model) == (endpoint.name, model)
    if not is_in_force or row.calibration is None:
        _calibrate(row, endpoint, model)
        row = choosing.current()
        if (row.space_endpoint, row.space_model) != (endpoint.name, model):
            return 0  # something else was chosen meanwhile, and told of
    return _embed(row, endpoint, model)


def _wanted(row: MeaningSettings) -> tuple[Endpoint, str] | None:
    """Return which model to compare by, and where; None for words alone."""
    if not spaces.is_allowed() or row.by == By.WORDS:
        return None
    if row.by == By.CHOSEN:
        return providers.named(row.endpoint), row.model
    ours = providers.named(choosing.OURS)
    models = [
        model for model in choosing.listed(ours) if model.startswith(choosing.FOR_EMBEDDINGS[0])
    ]
    # Its package may have gone since; as long as it is there it stays, since with
    # another one all would be embedded again.
    if row.space and row.space_endpoint == ours.name and row.space_model in models:
        return ours, row.space_model
    return (ours, models[0]) if models else None


def _calibrate(row: MeaningSettings, endpoint: Endpoint, model: str) -> None:
    """Let the model embed our own questions, and bring it into force."""
    # It takes some seconds and scores of megabytes, which only the worker spends.
    from trainerbot.retrieval.calibration.fitting import calibrate, texts

    asked = asking.AskedModel(endpoint, model, is_waited_for=False)
    every = texts()
    raw = asked.embed(every)
    try:
        kept = calibrate(dict(zip(every, raw, strict=True))).to_bytes()
    except ValueError as error:
        raise ProviderRefused(
            f"The vectors of {model} tell no questions apart. Choose a model that is made for "
            "embeddings."
        ) from error
    MeaningSettings.objects.get_or_create(pk=1)
    # Unless something else was chosen meanwhile, or another worker was quicker: its
    # calibration may differ in a digit, and then all would be embedded twice.
    as_before = {name: getattr(row, name) for name in ("by", "endpoint", "model", "space")}
    made = MeaningSettings.objects.filter(pk=1, **as_before).update(
        space=spaces.name_of(endpoint, model, kept),
        space_endpoint=endpoint.name,
        space_model=model,
        calibration=kept,
        is_behind=True,
    )
    if made:
        outbox.publish(spaces.TOPIC, "meanings.changed")
        log.info("Questions are compared by meaning, by %s.", model)


def _embed(row: MeaningSettings, endpoint: Endpoint, model: str) -> int:
    # What is not in force is compared with nothing.
    Correction.objects.filter(~Q(state=Correction.State.APPROVED), ~Q(vector_model="")).update(
        vector=None, vector_model=""
    )
    rows = Correction.objects.approved().filter(~Q(vector_model=row.space))
    found = list(rows.order_by("-pk").values_list("pk", "question")[: AT_ONCE + 1])
    batch = found[:AT_ONCE]
    if not batch:
        return 0
    assert row.calibration is not None  # as the caller saw
    calibration = Calibration.from_bytes(bytes(row.calibration))
    asked = asking.AskedModel(
        endpoint,
        model,
        name=row.space,
        n_dimensions=calibration.n_dimensions,
        is_waited_for=False,
    )
    vectors = Space(asked, calibration).embed([question for _, question in batch])
    for (pk, question), vector in zip(batch, vectors, strict=True):
        # Asked for by its words too, so that no vector is another's, or of words since erased.
        Correction.objects.approved().filter(pk=pk, question=question).update(
            vector=packed(vector), vector_model=row.space
        )
    mine = MeaningSettings.objects.filter(pk=1, space=row.space)
    if len(found) > AT_ONCE:
        mine.update(is_behind=True)
    elif mine.filter(is_behind=True).update(is_behind=False):
        outbox.publish(spaces.TOPIC, "meanings.changed")
    else:
        outbox.publish(spaces.TOPIC, "meanings.made", ids=[pk for pk, _ in batch])
    return len(batch)


class Filler:
    """A thread that takes steps whenever something was approved or chosen, until it is stopped."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="meanings", daemon=True)
        self._seen: tuple[int, object] | None = None
        self._next_ask = 0.0
        self._holder = secrets.token_hex(8)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let it end after the step that it is at."""
        self._stop.set()

    def look(self) -> None:
        """Take all steps that there are, if anything changed or it is time to ask again.

        While another worker takes them, nothing; and a look again, since that one may be killed.
        """
        # What is done here publishes, too, and is no reason to look again.
        latest = OutboxEvent.objects.filter(topic__in=(corrections.TOPIC, "settings"))
        seen = latest.order_by("-pk").values_list("pk", "created_at").first()
        if seen == self._seen and self._clock() < self._next_ask:
            return
        with processes.held(DUTY, self._holder) as is_mine:
            if not is_mine:
                return
            self._next_ask = self._clock() + ASKS_EVERY_S
            try:
                while fill() and not self._stop.is_set():
                    pass
            except TrainerBotError as error:
                # The row says it to whoever looks; who has no such model at all need not read it
                # here.
                log.info("Corrections wait for their vectors: %s", error)
        # As it was before: what was approved during the last step waits for the next look.
        self._seen = seen

    def _run(self) -> None:
        while not self._stop.wait(LOOKS_EVERY_S):
            try:
                self.look()
            except DatabaseError as error:
                log.warning("Corrections wait for their vectors: %s", error)
                connections.close_all()
            except Exception:
                # Nobody else would begin again before the next start of the worker.
                log.exception("Corrections wait for their vectors, for a minute at least")
                self._stop.wait(ASKS_EVERY_S)
        connections.close_all()
