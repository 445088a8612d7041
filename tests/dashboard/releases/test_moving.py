"""Promoted, tried, rolled back: what is in force, and what the history says."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from dashboard.models import Alias, AuditEvent, Promotion, Release
from dashboard.services import assistant, releases
from dashboard.services.releases import history, moving
from tests.factories import AliasFactory, UserFactory
from trainerbot.errors import Conflict, InvalidInput, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def alias() -> Alias:
    return AliasFactory(name="support")


def promoted(alias: Alias, *models: str) -> list[Release]:
    found = [releases.draft(alias, model=model) for model in models]
    for release in found:
        releases.promote(release, actor=None)
    return found


def now(alias: Alias) -> str:
    return releases.get(alias.name).stable.model


def test_a_name_is_made_and_found_with_or_without_its_sign():
    made = releases.create("@help-desk", note="For newcomers", actor=UserFactory(username="ada"))

    assert releases.get("@help-desk") == releases.get("help-desk") == made
    assert AuditEvent.objects.get(action="alias.create").actor_name == "ada"


@pytest.mark.parametrize("name", ["", " ", "two words", "Ümlaut", "a/b", "x" * 41, "new", "-a"])
def test_what_is_no_name_is_refused_in_words(name):
    with pytest.raises(InvalidInput, match="A name has 1 to 40"):
        releases.create(name, actor=None)


def test_a_name_that_exists_is_not_made_again(alias):
    with pytest.raises(Conflict, match="exists already"):
        releases.create("support", actor=None)
    with pytest.raises(NotFound):
        releases.get("nobody")


def test_the_same_model_prompt_and_settings_are_one_release(alias):
    first = releases.draft(alias, model="small", temperature=0.5)

    assert releases.draft(alias, model=" small ", temperature=0.5) == first
    assert releases.draft(alias, model="small", temperature=0.6).number == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": ""},
        {"model": "@other"},
        {"model": "x" * 201},
        {"model": "small", "temperature": 3.0},
        {"model": "small", "temperature": float("nan")},
        {"model": "small", "max_tokens": 0},
        {"model": "small", "system_prompt": "x" * 20_001},
        {"model": "small", "system_prompt": "a\0b"},
    ],
)
def test_a_release_that_could_not_answer_is_refused_and_nothing_is_stored(alias, wrong):
    with pytest.raises(InvalidInput):
        releases.draft(alias, **wrong)

    assert not Release.objects.exists()


def test_what_is_promoted_answers_and_the_history_tells_both(alias):
    small, large = promoted(alias, "small", "large")

    assert now(alias) == "large"
    last = alias.promotions.order_by("-pk").first()
    assert (last.action, last.previous, last.release) == ("promote", small, large)


def test_a_rollback_goes_back_step_by_step(alias):
    promoted(alias, "one", "two", "three")

    went = []
    for _ in range(2):
        releases.roll_back(alias, actor=None)
        went.append(now(alias))

    assert went == ["two", "one"]
    with pytest.raises(Conflict, match="answers already"):
        releases.roll_back(alias, to=releases.get("support").stable, actor=None)


def test_a_rollback_ends_the_canary_and_the_shadow_too(alias):
    promoted(alias, "one", "two")
    releases.start_canary(releases.draft(alias, model="three"), percent=5, actor=None)
    releases.start_shadow(releases.draft(alias, model="four"), percent=100, actor=None)

    releases.roll_back(alias, actor=None)

    found = releases.get("support")
    assert (found.stable.model, found.canary, found.shadow) == ("one", None, None)
    newest = alias.promotions.order_by("-pk").values_list("action", "release__model")[:3]
    assert list(newest) == [
        ("roll back", "one"),
        ("stop shadow", "four"),
        ("stop canary", "three"),
    ]


def test_the_history_tells_what_a_canary_has_other_than_what_answered_everybody_then(alias):
    promoted(alias, "one")
    tried = releases.draft(alias, model="two", system_prompt="Be brief.", temperature=0.5)
    begun = releases.start_canary(tried, percent=5, actor=None)
    promoted(alias, "three")

    _, canary, first = history.told(alias, list(alias.promotions.order_by("-pk")))

    assert (canary.promotion, first.changes) == (begun, [])
    assert [(each.name, each.old, each.new) for each in canary.changes] == [
        ("Model", "one", "two"),
        ("Persona", "as the place has it", "Be brief."),
        ("Temperature", "as the place has it", "0.5"),
    ]


def test_one_can_roll_back_to_anything_that_once_answered_everybody(alias):
    one, _, _ = promoted(alias, "one", "two", "three")
    tried = releases.draft(alias, model="never")
    releases.start_canary(tried, percent=5, actor=None)

    releases.roll_back(alias, to=one, actor=None)

    assert now(alias) == "one"
    with pytest.raises(InvalidInput, match="never answered everybody"):
        releases.roll_back(alias, to=tried, actor=None)


def test_there_is_nothing_before_the_first(alias):
    promoted(alias, "one")

    with pytest.raises(Conflict, match="Nothing answered"):
        releases.roll_back(alias, actor=None)


def test_what_answers_everybody_is_neither_promoted_again_nor_tried(alias):
    (one,) = promoted(alias, "one")

    with pytest.raises(Conflict, match="answers already"):
        releases.promote(one, actor=None)
    with pytest.raises(Conflict, match="answers everybody already"):
        releases.start_canary(one, percent=5, actor=None)


def test_a_canary_that_is_promoted_is_no_canary_any_more(alias):
    promoted(alias, "one")
    two = releases.draft(alias, model="two")
    releases.start_canary(two, percent=5, actor=None)

    releases.promote(two, actor=None)

    assert releases.get("support").canary is None


@pytest.mark.parametrize("percent", [0, 100, -1])
def test_a_canary_is_neither_nobody_nor_everybody(alias, percent):
    promoted(alias, "one")

    with pytest.raises(InvalidInput, match="The share is 1 to 99"):
        releases.start_canary(releases.draft(alias, model="two"), percent=percent, actor=None)


def test_nothing_is_tried_where_nothing_answers(alias):
    with pytest.raises(Conflict, match="Promote two first"):
        releases.start_canary(releases.draft(alias, model="two"), percent=5, actor=None)


def test_what_is_not_tried_cannot_be_stopped(alias):
    promoted(alias, "one")

    with pytest.raises(Conflict, match="has no canary"):
        releases.stop_canary(alias, actor=None)
    with pytest.raises(Conflict, match="has no shadow"):
        releases.stop_shadow(alias, actor=None)


def test_a_name_that_a_place_asks_for_is_not_deleted(alias):
    promoted(alias, "one")
    assistant.use_model("@support", actor=None)

    with pytest.raises(Conflict, match="still answers in all places"):
        releases.delete(alias, actor=None)

    assistant.use_model("one", actor=None)
    releases.delete(alias, actor=None)
    assert not Alias.objects.exists()
    assert not Promotion.objects.exists()


def test_nothing_is_joined_to_a_name_that_is_waited_for(alias):
    # PostgreSQL would not read anew what is joined: of two who promote at once, the
    # second was told that "None" had been promoted.
    (one,) = promoted(alias, "one")

    with CaptureQueriesContext(connection) as asked:
        locked = moving._locked(alias)

    assert locked.stable == one
    assert not [query["sql"] for query in asked if "JOIN" in query["sql"]]


def test_the_rows_themselves_refuse_a_canary_without_a_share(alias):
    (one,) = promoted(alias, "one")

    with pytest.raises(IntegrityError), transaction.atomic():
        Alias.objects.filter(pk=alias.pk).update(canary=one)


def test_after_a_b_a_a_rollback_goes_on_back_in_the_history(alias):
    first, second = promoted(alias, "small", "large")
    releases.promote(first, actor=None)

    assert releases.before(alias) == second
    releases.roll_back(alias, actor=None)
    alias.refresh_from_db()
    assert releases.before(alias) == first
    releases.roll_back(alias, actor=None)
    alias.refresh_from_db()

    assert now(alias) == "small"
    assert releases.before(alias) is None
