"""What is taken back, edited or erased is not learned, and goes from what was."""

import pytest
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Correction, Dataset, DatasetVersion, Task
from dashboard.services import privacy, trainings
from dashboard.services.tasks import Run
from dashboard.services.tasks.queue import claim
from dashboard.services.trainings import Why, freezing, permissions
from tests.dashboard.trainings.driving import EVERYWHERE, look, taught, tune, until
from tests.dashboard.trainings.test_picking import corrected_on_discord
from tests.factories import DiscordUserFactory
from trainerbot.llm import ModelInfo

DPO = ModelInfo("small", owned_by="", details={"fine_tune_methods": ["supervised", "dpo"]})
pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_erased_between_picking_and_freezing_is_not_learned(press):
    training = until(press(), "freezing")
    [first, *_] = Correction.objects.all()
    trainings.erase([first.pk])
    first.delete()

    training = until(training, "tuning")

    assert training.version.n_examples == 11
    assert not training.version.examples.filter(question=first.question).exists()


def test_words_that_change_after_they_were_stored_are_not_learned(press, monkeypatch):
    training = until(press(), "freezing")
    [first, second, *_] = Correction.objects.order_by("pk")
    finish = picking_then(monkeypatch, first, second)

    training = until(training, "tuning")

    assert finish.called
    assert training.version.n_examples == 10
    assert training.lessons.count() == 10


def picking_then(monkeypatch, rejected, edited):
    """Let one be rejected and one be edited after its row was stored, before it is frozen."""
    from dashboard.services.trainings import freezing

    written = freezing.write

    def write(run, training):
        written(run, training)
        Correction.objects.filter(pk=rejected.pk).update(state="rejected")
        Correction.objects.filter(pk=edited.pk).update(revision=2)
        write.called = True

    write.called = False
    monkeypatch.setattr(freezing, "write", write)
    return write


def test_where_all_was_taken_back_meanwhile_nothing_is_frozen(press):
    training = until(press(), "freezing")
    Correction.objects.update(state=Correction.State.REJECTED)

    training = until(training, "failed")

    assert "Nothing is left to learn" in training.error
    assert not DatasetVersion.everything.exists()
    assert not Dataset.objects.exists()


def test_what_is_erased_later_goes_from_the_frozen_version_and_the_model_is_told_of(
    press, endpoint
):
    training = tune(look(until(press(), "tuning")), endpoint)
    before = training.version.sha256
    [first, *_] = Correction.objects.all()

    trainings.erase([first.pk])
    first.delete()

    training.version.refresh_from_db()
    assert (training.version.n_examples, training.version.examples.count()) == (11, 11)
    assert training.version.sha256 != before
    assert training.lessons.filter(correction=None).count() == 1


def test_what_is_erased_before_it_is_sent_was_learned_by_no_model(press):
    training = look(until(press(), "tuning"))
    [first, *_] = Correction.objects.all()

    trainings.erase([first.pk])
    first.delete()

    assert training.job is not None
    training.version.refresh_from_db()
    assert training.version.n_examples == 11
    assert (training.lessons.count(), training.lessons.filter(correction=None).count()) == (11, 0)


def test_where_all_is_erased_before_it_is_sent_nothing_is_trained(press):
    taught(2)
    training = until(press(), "tuning")
    trainings.erase(list(Correction.objects.values_list("pk", flat=True)))

    training = until(training, "failed")

    assert "Nothing is left to learn" in training.error
    assert training.job is None


def test_whoever_wants_to_be_forgotten_is_so_in_what_was_learned(press):
    ada = DiscordUserFactory()
    [first, *_] = taught(4)
    Correction.objects.filter(pk=first.pk).update(discord_author=ada)
    training = until(press(), "tuning")

    privacy.erase(ada.discord_user_id, corrections_too=True)

    training.version.refresh_from_db()
    assert training.version.n_examples == 3
    assert not training.version.examples.filter(answer=first.better_answer).exists()


def test_a_version_all_of_which_was_erased_says_so(press):
    taught(1)
    training = until(press(), "tuning")

    trainings.erase(list(Correction.objects.values_list("pk", flat=True)))

    [example] = training.version.examples.all()
    assert example.question == example.answer == "[erased]"


# --- whoever asked --------------------------------------------------------------------
@pytest.fixture
def asked_on_discord(boss):
    permissions.permit("By letter of 2026-03-01, file 12.", actor=boss, topic="t")
    taught(3)
    return corrected_on_discord(rejected_answer="Never.")


def test_words_of_an_asker_who_erased_them_after_picking_are_no_longer_learned(
    press, asked_on_discord
):
    training = until(press(), "freezing")
    asked_on_discord.message.conversation.delete()

    training = until(training, "tuning")

    assert training.version.n_examples == 3
    assert not training.version.examples.filter(question=asked_on_discord.question).exists()


def test_words_of_an_asker_who_erased_them_after_they_were_stored_go_before_it_is_frozen(
    press, asked_on_discord
):
    training = until(press(), "freezing")
    Task.objects.filter(pk=training.task_id).update(run_at=now())
    task = claim("me", pk=training.task_id)
    freezing.write(Run(task, "me"), training)
    asked_on_discord.message.conversation.delete()

    with transaction.atomic():
        freezing.finish(training)

    training.version.refresh_from_db()
    assert training.version.n_examples == 3


def asker_of(correction) -> int:
    return correction.message.conversation.discord_user.discord_user_id


def test_a_question_goes_from_a_frozen_version_that_was_not_sent(press, asked_on_discord):
    training = until(press(), "tuning")
    before = training.version.sha256

    privacy.erase(asker_of(asked_on_discord), corrections_too=False)

    training.version.refresh_from_db()
    assert (training.version.n_examples, training.version.examples.count()) == (3, 3)
    assert training.version.sha256 != before
    assert not training.lessons.filter(correction=asked_on_discord).exists()
    assert not training.lessons.filter(correction=None).exists()
    assert Correction.objects.approved().filter(pk=asked_on_discord.pk).exists()


def test_a_question_goes_from_a_version_that_was_learned_and_the_training_remembers_it(
    press, asked_on_discord, endpoint
):
    training = tune(look(until(press(), "tuning")), endpoint)

    privacy.erase(asker_of(asked_on_discord), corrections_too=False)

    training.version.refresh_from_db()
    assert training.version.n_examples == 3
    assert not training.version.examples.filter(question=asked_on_discord.question).exists()
    assert training.lessons.filter(correction=None).count() == 1


def test_a_question_goes_from_the_pairs_as_well(press, asked_on_discord):
    another = corrected_on_discord(rejected_answer="Nothing.")
    Correction.objects.filter(pk=another.pk).update(question="how much is it??")
    training = until(press(way="dpo", offered=[DPO]), "preferring")

    privacy.erase(asker_of(asked_on_discord), corrections_too=False)

    [left] = training.pairs.examples.all()
    assert left.question == "how much is it??"


def test_a_question_in_a_reviewers_own_words_stays_when_its_asker_is_forgotten(press):
    taught(3)
    reworded = corrected_on_discord(own_question="From when to when are you open?")
    training = until(press(), "tuning")

    privacy.erase(asker_of(reworded), corrections_too=False)

    training.version.refresh_from_db()
    assert training.version.n_examples == 4
    assert training.lessons.filter(correction=reworded).exists()


def test_a_question_that_the_bot_failed_to_answer_is_not_learned_once_its_asker_erased_it():
    correction = corrected_on_discord(rejected_answer="", model="small")
    correction.message.conversation.delete()

    assert trainings.look(EVERYWHERE).n_left_out == {Why.ASKER_ERASED: 1}


@pytest.mark.parametrize("stage", ["freezing", "tuning"])
def test_a_permission_withdrawn_before_the_job_is_begun_stops_the_training(
    press, boss, asked_on_discord, stage
):
    training = until(press(), stage)
    permissions.withdraw(actor=boss, topic="t")

    training = until(training, "failed")

    assert "Discord message content" in training.error
    assert training.job is None
