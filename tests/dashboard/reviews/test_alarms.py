"""What is wrong among the corrections in force."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import Retirement
from dashboard.services import alarms, assistant, corrections, providers, suites
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordGuildFactory,
    SuiteRunFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def kinds():
    return [each.kind for each in alarms.everything().shown]


def long_in_force(**fields):
    return CorrectionFactory(approved=True, reviewed_at=now() - timedelta(days=31), **fields)


def test_what_nobody_asked_for_in_thirty_days_is_dead():
    row = long_in_force()
    long_in_force(n_fired=1)
    long_in_force(n_shown=1)
    CorrectionFactory(approved=True, reviewed_at=now())
    CorrectionFactory()

    found = alarms.everything()

    assert (found.n, found.shown[0].corrections) == (1, (row,))
    assert "for 31 days" in found.shown[0].sentence


@pytest.mark.parametrize("wording", ["When does the library open?", "when does the libary open"])
def test_two_answers_to_one_question_in_one_place_are_an_alarm(wording):
    older = CorrectionFactory(approved=True, question="When does the library open?")
    newer = CorrectionFactory(approved=True, question=wording)

    found = alarms.everything()

    assert [each.corrections for each in found.shown] == [(newer, older)]
    assert f"is given: #{newer.pk}" in found.shown[0].sentence


def test_the_same_answer_twice_is_none():
    for _ in range(2):
        CorrectionFactory(approved=True, question="When do you open?", better_answer="At nine.")

    assert kinds() == []


def test_narrowing_the_place_of_one_ends_the_alarm():
    older = CorrectionFactory(approved=True, question="When do you open?")
    newer = CorrectionFactory(approved=True, question="When do you open?")
    assert kinds() == ["contradiction"]

    corrections.move(
        correction=newer, guild=DiscordGuildFactory(), editor=UserFactory(trainer=True)
    )

    assert kinds() == []
    corrections.undo(user=newer.steps.get().user)
    assert kinds() == ["contradiction"]
    corrections.reject(correction=older, reviewer=None)
    assert kinds() == []


# --- learned ----------------------------------------------------------------------------
def asked_alone(*rights: bool, **how: object):
    """All corrections in force, asked of a model by itself."""
    how = {"model": "small", "endpoint": providers.endpoint().name} | how
    return SuiteRunFactory(
        version=suites.corrections_suite(), rights=rights, with_recall=False, **how
    )


def learned():
    return [each for each in alarms.everything().shown if each.kind == "learned"]


def test_a_correction_that_the_model_gets_right_by_itself_can_go():
    assistant.use_model("small", actor=None)
    known = CorrectionFactory(approved=True, question="Who are you?")
    CorrectionFactory(approved=True, question="When do you open?", better_answer="At nine.")
    run = asked_alone(True, False)

    (alarm,) = learned()

    assert alarm.corrections == (known,)
    assert f"small gets this right by itself now, as run {run.pk} shows" in alarm.sentence
    assert "Take it out of force" in alarm.sentence


def test_with_recall_nothing_is_learned_and_of_another_model_neither():
    assistant.use_model("small", actor=None)
    CorrectionFactory(approved=True)
    version = suites.corrections_suite()
    for how in ({"with_recall": True}, {"model": "large"}, {"endpoint": "elsewhere"}):
        SuiteRunFactory(
            version=version, rights=[True],
            **{"model": "small", "with_recall": False, "endpoint": providers.endpoint().name} | how,
        )  # fmt: skip

    assert learned() == []


def test_the_newest_test_counts():
    assistant.use_model("small", actor=None)
    CorrectionFactory(approved=True)
    asked_alone(True)
    asked_alone(False)

    assert learned() == []


def test_other_words_since_the_test_are_not_learned_nor_what_is_out_of_force():
    assistant.use_model("small", actor=None)
    edited = CorrectionFactory(approved=True, question="Who are you?")
    gone = CorrectionFactory(approved=True, question="When do you open?", better_answer="At nine.")
    asked_alone(True, True)

    grace = UserFactory(trainer=True)
    corrections.edit(correction=edited, better_answer="Somebody else.", editor=grace)
    corrections.reject(correction=gone, reviewer=grace)

    assert learned() == []


def test_what_answers_under_a_name_is_what_counts():
    AliasFactory(name="support", answered_by="large")
    assistant.use_model("@support", actor=None)
    CorrectionFactory(approved=True)
    asked_alone(True, model="large")

    assert len(learned()) == 1


def test_the_queue_shows_it_with_what_to_do(client):
    client.force_login(UserFactory(trainer=True))
    assistant.use_model("small", actor=None)
    CorrectionFactory(approved=True)
    asked_alone(True)

    page = client.get("/corrections/alarms/").content.decode()

    assert "gets this right by itself now" in page
    assert "Take out of force" in page
    assert client.get("/corrections/alarms/count/").content.decode().strip()


def test_a_model_that_is_soon_switched_off_is_an_alarm():
    assistant.use_model("small", actor=None)
    Retirement.objects.create(
        endpoint=providers.endpoint().name,
        model="small",
        day=now().date() + timedelta(days=20),
        seen_at=now(),
    )

    (alarm,) = alarms.everything().shown

    assert alarm.kind == "retiring"
    assert "It answers everywhere" in alarm.sentence
