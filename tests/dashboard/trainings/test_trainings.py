"""From the button to the verdict, whatever breaks on the way."""

import itertools
import uuid

import pytest
from django.utils.timezone import now

from dashboard.models import (
    Correction,
    DatasetVersion,
    Example,
    FineTuneJob,
    Lesson,
    OutboxEvent,
    Provenance,
    Training,
    TrainingCard,
    Verdict,
)
from dashboard.services import tasks, trainings
from dashboard.services.trainings import permissions
from tests.dashboard.trainings.driving import (
    EVERYWHERE,
    learned_it,
    look,
    taught,
    tune,
    until,
    work_off,
)
from tests.factories import (
    CorrectionFactory,
    DatasetVersionFactory,
    DiscordGuildFactory,
    FineTuneJobFactory,
    LessonFactory,
    TrainingFactory,
    UserFactory,
)
from trainerbot.errors import Conflict, InvalidInput, NotAllowed
from trainerbot.llm import ModelInfo

pytestmark = pytest.mark.django_db(transaction=True)


def created(endpoint) -> int:
    return endpoint.seen.count("POST /v1/fine_tuning/jobs")


# --- the whole way ------------------------------------------------------------------
def test_what_people_taught_becomes_a_model_with_a_verdict(press, endpoint):
    endpoint.answer = learned_it
    training = until(press(suffix="zoo"), "tuning")
    version = training.version
    assert (version.n_examples, version.is_draft, version.is_whole) == (12, False, True)
    assert version.dataset.name == "What people taught"
    assert training.counts["learned"] == 12
    assert {each.record["messages"][0]["role"] for each in version.examples.all()} == {"user"}

    training = tune(look(training), endpoint)
    work_off()

    training.refresh_from_db()
    assert (training.stage, training.error) == ("succeeded", "")
    assert training.model == training.job.fine_tuned_model
    assert training.verdict.decision
    assert Verdict.objects.count() == 1
    assert training.finished_at is not None
    [correction, *_] = Correction.objects.all()
    [lives] = trainings.models_of(correction)
    assert lives.model == training.model
    assert trainings.look(EVERYWHERE).n_new == 0


def test_the_rows_say_that_people_gave_them(press):
    training = until(press(), "tuning")

    [provenance] = Provenance.objects.filter(pk__in=training.version.examples.values("provenance"))

    assert provenance.source == "correction"
    assert provenance.reference == f"training {training.pk}"
    assert look(training).job.provenance["rows"] == {"correction": 12}


def test_a_question_worded_by_a_reviewer_is_what_is_learned(press):
    taught(1, own_question="Who lives there?")

    training = until(press(), "tuning")

    [example] = training.version.examples.all()
    assert example.record["messages"][0]["content"] == "Who lives there?"


def test_pairs_have_the_bots_own_answer_beside(press, endpoint):
    answered(3)
    training = until(press(way="dpo"), "preferring")

    [first, *_] = training.pairs.examples.order_by("position")
    assert first.record["non_preferred_output"][0]["content"] == "No lion."
    assert training.version is None
    training = look(training)
    assert (training.job, training.preference_job.method) == (None, "dpo")


def test_preferences_are_learned_by_the_model_that_learned_the_answers(press, endpoint):
    endpoint.answer = learned_it
    answered(3)
    training = until(press(way="supervised+dpo"), "tuning")
    training = until(tune(look(training), endpoint), "preferring")

    training = look(training)

    assert training.preference_job.base_model == training.job.fine_tuned_model
    assert training.preference_job.method == "dpo"
    tune(training, endpoint)
    work_off()
    training.refresh_from_db()
    assert training.model == training.preference_job.fine_tuned_model
    assert training.stage == "succeeded"
    assert Verdict.objects.get().job == training.preference_job


def answered(n: int) -> None:
    """So many corrections of answers that were given in the Playground."""
    from tests.factories import AnswerFactory, QuestionFactory

    for correction in taught(n, rejected_answer="No lion."):
        answer = AnswerFactory(reply_to=QuestionFactory(), content="No lion.")
        Correction.objects.filter(pk=correction.pk).update(message=answer)


def test_general_examples_are_learned_beside_and_keep_their_origin(press):
    general = DatasetVersionFactory()

    training = until(press(mixed_in=general), "tuning")

    sources = set(training.version.examples.values_list("provenance__source", flat=True))
    assert sources == {"correction", general.examples.first().provenance.source}
    assert training.version.n_examples == 12 + general.n_examples


def test_what_is_held_out_is_tested_and_not_learned(press, endpoint):
    endpoint.answer = learned_it
    taught(40)
    training = until(press(hold_out=20), "tuning")
    tune(look(training), endpoint)
    work_off()
    training.refresh_from_db()

    held_out = Lesson.objects.filter(training=training, use="held_out")
    sent = endpoint.files[training.job.remote_file_id].decode()
    for lesson in held_out:
        assert lesson.correction.question not in sent
        assert trainings.models_of(lesson.correction) == []
    suites = {row.run.version.suite.name for row in training.verdict.runs.all()}
    assert suites == {"Corrections", "Held out of what people taught"}
    assert held_out.count() == training.counts["held_out"] > 0


# --- once ---------------------------------------------------------------------------
def test_a_form_that_is_sent_twice_begins_once(press):
    key = uuid.uuid4()

    first, again = press(key=key), press(key=key)

    assert first == again
    assert Training.objects.count() == 1


def test_the_same_asked_for_again_while_it_is_under_way_is_that_one(press):
    assert press() == press()
    with pytest.raises(Conflict, match="under way"):
        press(suffix="other")


def test_nothing_new_is_not_trained_again_unless_somebody_wants_it(press):
    [correction] = taught(1)
    FineTuneJobFactory(succeeded=True, fine_tuned_model="ft:a")
    LessonFactory(training=TrainingFactory(model="ft:a"), correction=correction)

    with pytest.raises(InvalidInput, match="Nothing is new"):
        press()
    assert press(again=True).stage == "picking"


class Killed(BaseException):
    """What kill -9 is to a handler: nothing after it is done."""


STEPS = ["picking", "freezing", "tuning", "testing"]


@pytest.mark.parametrize("stage", STEPS)
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_worker_killed_at_any_save_begins_nothing_twice(press, endpoint, monkeypatch, stage, nth):
    endpoint.answer = learned_it
    taught(3)
    training = until(press(), "picking")
    for each, following in itertools.pairwise([*STEPS, "succeeded"]):
        if each == stage:
            die_at_save(monkeypatch, training, nth)
            training.refresh_from_db()
        if training.stage == "tuning":
            training = look(training) if training.job is None else training
            tune(training, endpoint)
        if each != "testing" and training.stage == each:
            training = until(training, following)
    work_off()

    training.refresh_from_db()
    assert (training.stage, training.error) == ("succeeded", "")
    assert training.verdict.decision
    assert created(endpoint) == 1
    assert FineTuneJob.objects.count() == Verdict.objects.count() == 1
    assert DatasetVersion.everything.count() == 1
    assert Example.objects.count() == Lesson.objects.count() == 3


def die_at_save(monkeypatch, training: Training, nth: int) -> None:
    """Let a worker die at its nth save, inside the transaction, and another one take over."""
    saved = tasks.Run.save
    left = [nth]

    def save(run, **kwargs):
        saved(run, **kwargs)
        if run.task.pk == training.task_id:
            left[0] -= 1
            if left[0] == -1:
                raise Killed

    monkeypatch.setattr(tasks.Run, "save", save)
    try:
        look(training, worker="killed")
    except Killed:
        training.task.refresh_from_db()
        type(training.task).objects.filter(pk=training.task_id).update(lease_until=now())
    monkeypatch.setattr(tasks.Run, "save", saved)


# --- who may, and what may ------------------------------------------------------------
def test_members_may_not_press_and_all_servers_together_take_an_admin(press):
    with pytest.raises(NotAllowed):
        press(actor=UserFactory())
    trainer = UserFactory(trainer=True)
    with pytest.raises(NotAllowed):
        press(actor=trainer, scope=trainings.Scope("all"))
    assert press(actor=trainer)


def test_nothing_to_learn_is_said_in_words(press):
    CorrectionFactory()
    with pytest.raises(InvalidInput, match="nothing to learn"):
        press()


def test_pairs_are_needed_for_preferences(press):
    with pytest.raises(InvalidInput, match="wrong answer"):
        press(way="dpo")


def test_a_method_that_the_endpoint_has_not_is_refused(press):
    knn = [ModelInfo("small", owned_by="", details={"fine_tune_methods": ["knn"]})]
    with pytest.raises(InvalidInput, match="offers: knn"):
        press(way="supervised", offered=knn)
    assert press(offered=knn).way == "knn"


def test_a_permission_withdrawn_before_the_rows_are_stored_stops_the_training(press, boss):
    from tests.dashboard.trainings.test_picking import corrected_on_discord

    corrected_on_discord()
    permissions.permit("By letter of 2026-03-01, file 12.", actor=boss, topic="t")
    training = until(press(), "freezing")
    permissions.withdraw(actor=boss, topic="t")

    training = until(training, "failed")

    assert "Discord message content" in training.error
    assert created_none()


def created_none() -> bool:
    return not FineTuneJob.objects.exists()


def test_the_permission_goes_along_with_the_rows(press, boss):
    from tests.dashboard.trainings.test_picking import corrected_on_discord

    corrected_on_discord()
    permissions.permit("By letter of 2026-03-01, file 12.", actor=boss, topic="t")

    training = look(until(press(), "tuning"))

    [source] = training.job.provenance["sources"]
    assert (source["source"], source["permission"]) == (
        "discord_message",
        "By letter of 2026-03-01, file 12.",
    )


# --- ends -----------------------------------------------------------------------------
def test_a_job_that_fails_fails_the_training_in_its_words(press, endpoint):
    training = look(until(press(), "tuning"))
    FineTuneJob.objects.update(status="failed", error="Row 3 is too long.", finished_at=now())

    training = look(training)

    assert (training.stage, training.error) == ("failed", "Row 3 is too long.")


@pytest.mark.parametrize("stage", ["picking", "freezing", "tuning", "testing"])
def test_it_can_be_cancelled_at_each_step(press, endpoint, boss, stage):
    training = press()
    if stage == "testing":
        tune(look(until(training, "tuning")), endpoint)
    training = until(trainings.get(training.pk), stage)

    trainings.cancel(training, actor=boss)
    work_off()

    training.refresh_from_db()
    assert (training.stage, training.is_finished) == ("cancelled", True)
    assert not DatasetVersion.everything.filter(is_whole=False).exists()
    with pytest.raises(Conflict, match="over already"):
        trainings.cancel(training, actor=boss)


def test_cancelling_stops_the_job_that_runs(press, boss):
    training = look(until(press(), "tuning"))

    trainings.cancel(training, actor=boss)

    training.job.refresh_from_db()
    assert training.job.cancel_requested


def test_a_model_that_cannot_be_tested_is_there_all_the_same(press, endpoint):
    training = look(until(press(), "tuning"))
    tune(training, endpoint)
    Correction.objects.update(state=Correction.State.REJECTED)
    work_off()

    training.refresh_from_db()
    assert training.stage == "succeeded"
    assert training.model
    assert "could not be tested" in training.error


def test_the_guild_that_it_is_about_is_to_be_told_once(press, endpoint):
    guild = DiscordGuildFactory()
    taught(3, guild=guild)
    scope = trainings.Scope(f"guild-{guild.pk}", guild)
    training = look(until(press(scope=scope), "tuning"))
    FineTuneJob.objects.update(status="failed", error="No room.", finished_at=now())
    look(training)

    assert TrainingCard.objects.get().guild == guild
    assert (
        OutboxEvent.objects.filter(topic=trainings.TOPIC).latest("pk").payload["stage"] == "failed"
    )
