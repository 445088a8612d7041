"""One correction: when it was taught, how often it fired, and who knows it without help by now."""

from dataclasses import dataclass
from datetime import datetime

from dashboard.models import Correction, FineTuneJob, Message, SuiteAnswer
from dashboard.services import trainings
from dashboard.services.privacy import ANONYMOUS
from dashboard.services.proofs.naming import Name, for_all, names_of
from dashboard.services.trainings import LivesIn

MOST_ANSWERS = 500  # of the newest tests, in which every model is looked for
MOST_FIRINGS = 5
State = Correction.State


@dataclass(frozen=True, slots=True)
class Learner:
    """One model that learned a correction, or was tested on it.

    alone, recalled: whether it was right without recall and with it by its
    newest tests, None where nobody asked. run: the newest test without recall,
    else with it. trained_at: when it learned it; had_these_words: as they are now.
    """

    model: str
    base_model: str = ""
    alone: bool | None = None
    recalled: bool | None = None
    tested_at: datetime | None = None
    run: int | None = None
    trained_at: datetime | None = None
    had_these_words: bool = False
    names: tuple[Name, ...] = ()

    @property
    def names_for_all(self) -> str:
        """As `names`, in words that tell of no server."""
        return for_all(self.names)


@dataclass(frozen=True, slots=True)
class Firing:
    """One answer that was its own words."""

    at: datetime
    conversation: int


@dataclass(frozen=True, slots=True)
class Proof:
    """What is known of one correction.

    taught_by: a name, which a picture shows only if asked to. teacher: their
    account on the dashboard. asker_is_gone: it mended an answer whose talk is
    deleted, so the words that were asked belong to nobody who is here.
    teacher_is_gone: who wrote it wanted to be forgotten.
    """

    number: int
    state: str
    question: str
    old_answer: str
    new_answer: str
    old_model: str
    place: str
    taught_at: datetime
    taught_by: str
    teacher: int | None
    decided_at: datetime | None
    n_fired: int
    n_shown: int
    last_fired_at: datetime | None
    was_asked_by_others: bool
    asker_is_gone: bool
    teacher_is_gone: bool
    learners: tuple[Learner, ...]
    firings: tuple[Firing, ...]

    @property
    def is_in_force(self) -> bool:
        return self.state == State.APPROVED

    @property
    def knowing(self) -> list[Learner]:
        """The models that answer it rightly without help."""
        return [each for each in self.learners if each.alone]

    @property
    def headline(self) -> str:
        """What there is to say, in a few words; nothing that was not seen."""
        if self.state == State.PROPOSED:
            return "Taught, and waiting for review"
        if self.state == State.REJECTED:
            return "Taught, and not in force"
        times = "once" if self.n_fired == 1 else f"{self.n_fired:,} times"
        if self.n_fired and self.knowing:
            return f"Taught once, given {times}, learned"
        if self.n_fired:
            return f"Taught once, given {times}"
        if self.knowing:
            return "Taught once, learned"
        if self.n_shown:
            return f"Taught once, shown to the model {self.n_shown:,}\N{MULTIPLICATION SIGN}"
        return "Taught, and in force"

    @property
    def lives_in(self) -> str:
        """Where it lives now, as a sentence without its full stop."""
        if not self.is_in_force:
            return "In no model: it is not in force"
        if self.knowing:
            return f"Right without help: {_named(self.knowing)}"
        trained = [each for each in self.learners if each.trained_at]
        untested = [each for each in trained if each.alone is None]
        if untested:
            return f"Trained on it, not tested yet: {_named(untested)}"
        if trained:
            return f"In memory: trained on it, but not right alone: {_named(trained)}"
        if self.learners:
            return "In memory: recalled when it is asked, known to no model alone"
        return "In memory: recalled when it is asked; no model was tested yet"


def of_correction(correction: Correction) -> Proof:
    """Everything that rows tell of a correction, as its words are now."""
    message = correction.message
    return Proof(
        number=correction.pk,
        state=correction.state,
        question=correction.question,
        old_answer=correction.rejected_answer,
        new_answer=correction.better_answer,
        old_model=correction.model,
        place=correction.place_name,
        taught_at=correction.created_at,
        taught_by=correction.author_name,
        teacher=correction.author_id,
        decided_at=correction.reviewed_at,
        n_fired=correction.n_fired,
        n_shown=correction.n_shown,
        last_fired_at=correction.last_fired_at,
        was_asked_by_others=message is not None
        and message.conversation.discord_user_id is not None,
        asker_is_gone=correction.asker_is_gone,
        teacher_is_gone=correction.author_id is None
        and correction.discord_author_id is None
        and correction.author_name == ANONYMOUS,
        learners=_learners(correction),
        firings=_firings(correction),
    )


def _named(learners: list[Learner]) -> str:
    more = f" and {len(learners) - 1} more" if len(learners) > 1 else ""
    return learners[0].model + more


def _learners(correction: Correction) -> tuple[Learner, ...]:
    """Every model that learned it or was tested on these very words; the best proof first."""
    trained: dict[str, LivesIn] = {}
    for lives in trainings.models_of(correction):
        trained.setdefault(lives.model, lives)
    tested = _tested(correction)
    models = list(dict.fromkeys([*tested, *trained]))
    bases = dict(
        FineTuneJob.objects.filter(fine_tuned_model__in=models).values_list(
            "fine_tuned_model", "base_model"
        )
    )
    found = []
    for model in models:
        learned = trained.get(model)
        told = tested.get(model, {})
        alone, recalled = told.get(False), told.get(True)
        newest = alone or recalled
        found.append(
            Learner(
                model=model,
                base_model=bases.get(model, ""),
                alone=alone.is_right if alone else None,
                recalled=recalled.is_right if recalled else None,
                tested_at=newest.at if newest else None,
                run=newest.run if newest else None,
                trained_at=learned.at if learned else None,
                had_these_words=learned.is_current if learned else False,
                names=names_of(model),
            )
        )
    # Those that answer people before those that do not, tuned ones before their base models.
    found.sort(key=lambda each: (not each.alone, not each.names, not each.base_model))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Tested:
    is_right: bool
    run: int
    at: datetime


def _tested(correction: Correction) -> dict[str, dict[bool, _Tested]]:
    """By model, without recall (False) and with it (True), what its newest test came to."""
    rows = (
        SuiteAnswer.objects.filter(
            case__correction=correction,
            case__question=correction.question,
            case__expected=correction.better_answer,
            is_right__isnull=False,
            error="",
        )
        .order_by("-pk")
        .values_list("run__model", "run__with_recall", "is_right", "run_id", "run__created_at")
    )
    newest: dict[str, dict[bool, _Tested]] = {}
    for model, with_recall, is_right, run, at in rows[:MOST_ANSWERS]:
        newest.setdefault(model, {}).setdefault(with_recall, _Tested(bool(is_right), run, at))
    return newest


def _firings(correction: Correction) -> tuple[Firing, ...]:
    rows = Message.objects.filter(correction=correction).order_by("-pk")
    told = rows.values_list("created_at", "conversation_id")[:MOST_FIRINGS]
    return tuple(Firing(at, conversation) for at, conversation in told)
