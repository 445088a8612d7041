"""The index of corrections is exactly as new as the rows, in every process."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils.timezone import now

from dashboard.models import Correction, DiscordChannel, OutboxEvent
from dashboard.services import corrections, outbox, recall
from tests.factories import CorrectionFactory, DiscordChannelFactory, UserFactory

pytestmark = pytest.mark.django_db


def answer(question: str) -> str | None:
    found = recall.current().recall(question).verbatim
    return found.answer if found else None


def test_only_approved_corrections_are_recalled():
    waiting, rejected = CorrectionFactory(), CorrectionFactory(state=Correction.State.REJECTED)
    approved = CorrectionFactory(approved=True)
    assert answer(approved.question) == approved.better_answer
    assert answer(waiting.question) is None
    assert answer(rejected.question) is None


def test_the_index_is_kept_while_nothing_changes():
    CorrectionFactory(approved=True)
    first = recall.current()
    assert recall.current() is first
    outbox.publish("jobs", "job.changed", id=1)
    assert recall.current() is first


def test_approving_editing_and_rejecting_are_each_seen_by_the_next_question():
    correction = CorrectionFactory(question="When?")
    assert answer("When?") is None
    corrections.approve(correction=correction, reviewer=None)
    assert answer("When?") == correction.better_answer
    corrections.edit(correction=correction, better_answer="At ten.", editor=None)
    assert answer("When?") == "At ten."
    corrections.reject(correction=correction, reviewer=None)
    assert answer("When?") is None
    corrections.approve(correction=correction, reviewer=None, better_answer="At noon.")
    assert answer("When?") == "At noon."


def test_one_out_and_one_in_is_a_change_although_the_count_stays():
    out, into = CorrectionFactory(approved=True), CorrectionFactory()
    recall.current()
    corrections.reject(correction=out, reviewer=None)
    corrections.approve(correction=into, reviewer=None)
    assert answer(out.question) is None
    assert answer(into.question) == into.better_answer


def test_a_change_is_seen_although_the_clock_was_set_back():
    correction = CorrectionFactory(approved=True, question="When?")
    CorrectionFactory(approved=True)
    Correction.objects.exclude(pk=correction.pk).update(updated_at=now() + timedelta(hours=1))
    recall.current()
    corrections.edit(correction=correction, better_answer="At ten.", editor=None)
    assert answer("When?") == "At ten."


def test_a_change_that_was_taken_back_is_forgotten():
    correction = CorrectionFactory(approved=True, question="When?", better_answer="At nine.")
    with transaction.atomic():
        corrections.edit(correction=correction, better_answer="At ten.", editor=None)
        assert answer("When?") == "At ten."
        transaction.set_rollback(True)
    assert answer("When?") == "At nine."


@pytest.mark.django_db(transaction=True)
def test_the_change_that_began_first_and_commits_last_is_seen_too():
    early, late = CorrectionFactory.create_batch(2, approved=True)
    changed, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            corrections.edit(correction=early, better_answer="At ten.", editor=None)
            changed.set()
            may_commit.wait(60)
        connections.close_all()

    first = threading.Thread(target=slow)
    first.start()
    assert changed.wait(60)
    if connection.vendor == "postgresql":
        # Its row is stamped later than the one that is still to commit.
        Correction.objects.filter(pk=late.pk).update(updated_at=now())
    assert answer(early.question) != "At ten."
    may_commit.set()
    first.join()
    assert answer(early.question) == "At ten."


def test_of_two_corrections_of_one_question_the_newer_counts():
    CorrectionFactory(approved=True, question="When?", better_answer="At nine.")
    CorrectionFactory(approved=True, question="when", better_answer="At ten.")
    assert answer("When?") == "At ten."


@pytest.fixture
def taught():
    """Two corrections in force, and an index that has them."""
    admin = UserFactory(admin=True)
    for question in ("When does the library open?", "Who feeds the cat?"):
        corrections.propose(question=question, better_answer="At nine.", author=admin)
    recall.current()
    return admin


def test_one_more_correction_is_in_force_at_once_without_indexing_all_anew(taught, monkeypatch):
    monkeypatch.setattr("trainerbot.conversation.recall.MAX_LATE", 0)
    before = recall.current()

    corrections.propose(question="Where is the lift?", better_answer="Left.", author=taught)

    assert answer("Where is the lift?") == "Left."
    assert answer("When does the library open?") == "At nine."
    assert recall.current()._parts[0].corpus is before._parts[0].corpus


def test_an_edit_and_an_end_are_in_force_at_once(taught):
    first, second = Correction.objects.order_by("pk")

    corrections.edit(correction=first, better_answer="At ten.", editor=taught)
    corrections.reject(correction=second, reviewer=taught)

    assert answer("When does the library open?") == "At ten."
    assert answer("Who feeds the cat?") is None


def test_after_forgotten_events_all_is_read_anew(taught):
    corrections.edit(
        correction=Correction.objects.earliest("pk"), better_answer="At ten.", editor=taught
    )
    OutboxEvent.objects.all().delete()
    corrections.propose(question="Where is the lift?", better_answer="Left.", author=taught)

    assert answer("When does the library open?") == "At ten."


def test_a_change_that_nobody_told_of_is_noticed_all_the_same(taught):
    CorrectionFactory(approved=True, question="Where is the lift?", better_answer="Left.")

    assert answer("Where is the lift?") == "Left."


def test_more_changes_than_are_worth_following_are_read_anew(taught, monkeypatch):
    monkeypatch.setattr(recall, "MOST_EVENTS", 3)
    for n in range(5):
        corrections.propose(question=f"Where is room {n}?", better_answer=f"{n}.", author=taught)

    assert answer("Where is room 4?") == "4."


def test_a_correction_of_one_guild_or_channel_is_not_heard_outside_it(taught):
    channel = DiscordChannelFactory()
    elsewhere = DiscordChannelFactory()
    corrections.propose(
        question="Where is the lift?", better_answer="Left.", author=taught, guild=channel.guild
    )
    corrections.propose(
        question="Where is the door?", better_answer="Right.", author=taught, channel=channel
    )

    def heard(question: str, where: DiscordChannel | None) -> str | None:
        found = recall.current().recall(question, recall.place(where)).verbatim
        return found.answer if found else None

    assert heard("Where is the lift?", channel) == "Left."
    assert heard("Where is the door?", channel) == "Right."
    for question in ("Where is the lift?", "Where is the door?"):
        assert heard(question, elsewhere) is None
        assert heard(question, None) is None


def test_a_thread_hears_what_counts_in_its_channel(taught):
    channel = DiscordChannelFactory()
    thread = DiscordChannelFactory(guild=channel.guild, parent=channel)
    corrections.propose(
        question="Where is the door?", better_answer="Right.", author=taught, channel=channel
    )

    found = recall.current().recall("Where is the door?", recall.place(thread))

    assert found.verbatim.answer == "Right."


def test_a_correction_moved_to_one_guild_leaves_the_others_at_once(taught):
    channel = DiscordChannelFactory()
    correction = corrections.propose(
        question="Where is the lift?", better_answer="Left.", author=taught
    )
    assert answer("Where is the lift?") == "Left."

    corrections.move(correction=correction, guild=channel.guild, editor=taught)

    assert answer("Where is the lift?") is None


def test_whether_anything_changed_takes_one_query_among_many(
    taught, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(recall, "FEW", 1)
    CorrectionFactory(approved=True, question="Where is the lift?", better_answer="Left.")
    recall.current()

    with django_assert_num_queries(1):
        assert answer("Where is the lift?") == "Left."


def test_one_deleted_by_hand_among_many_is_noticed_at_the_next_count(taught, monkeypatch):
    monkeypatch.setattr(recall, "FEW", 1)
    monkeypatch.setattr(recall, "COUNTED_EVERY_S", 0)
    CorrectionFactory(approved=True, question="Where is the lift?", better_answer="Left.")
    recall.current()

    Correction.objects.earliest("pk").delete()

    assert answer("When does the library open?") is None
    assert answer("Where is the lift?") == "Left."
