"""The pages of names under which models answer."""

import pytest

from dashboard.models import Alias, Promotion, ShadowAnswer, SuiteRun
from dashboard.services import assistant, places, releases
from tests.factories import (
    AliasFactory,
    AnswerFactory,
    CorrectionFactory,
    ModelPriceFactory,
    QuestionFactory,
    ReleaseFactory,
    suite_version,
)

pytestmark = pytest.mark.django_db
FORM = {"model": "large", "action": "promote", "percent": "10", "why": "It knows more."}


@pytest.fixture
def alias() -> Alias:
    alias = AliasFactory(name="support")
    releases.promote(releases.draft(alias, model="small"), actor=None)
    return alias


def test_an_admin_makes_a_name_and_promotes_a_model_there(admin):
    made = admin.post("/releases/new/", {"name": "@support", "note": "Help"}, follow=True)
    promoted = admin.post("/releases/support/move/", FORM, follow=True)

    assert "Now say what answers there" in made.content.decode()
    assert "large answers under @support from the next message on" in promoted.content.decode()
    assert releases.get("support").stable.model == "large"


def test_a_wrong_name_comes_back_with_the_words(admin):
    response = admin.post("/releases/new/", {"name": "two words"})

    assert response.status_code == 422
    assert "A name has 1 to 40 small letters" in response.content.decode()
    assert 'value="two words"' in response.content.decode()


def test_the_form_begins_with_what_answers_now(admin, alias):
    assert 'value="small"' in admin.get("/releases/support/").content.decode()
    assert 'value="ft:x"' in admin.get("/releases/support/?model=ft:x").content.decode()


def test_what_the_gate_objects_to_is_told_and_the_form_is_kept(admin, alias):
    CorrectionFactory(question="When do you open?", approved=True)

    response = admin.post("/releases/support/move/", FORM)

    page = response.content.decode()
    assert response.status_code == 422
    assert "It was not tested on Corrections v1" in page
    assert "It knows more." in page
    assert releases.get("support").stable.model == "small"


def test_the_gate_is_overridden_with_a_reason_which_the_history_shows(admin, alias):
    CorrectionFactory(question="When do you open?", approved=True)

    page = admin.post("/releases/support/move/", FORM | {"override": "on"}, follow=True)

    assert "Overridden: It was not tested" in page.content.decode()
    assert "It knows more." in page.content.decode()


def test_the_history_shows_what_was_changed(admin, alias):
    admin.post("/releases/support/move/", FORM | {"system_prompt": "Be brief."})

    (first, _) = admin.get("/releases/support/").context["history"]

    assert [(each.name, each.old, each.new) for each in first.changes] == [
        ("Model", "small", "large"),
        ("Persona", "as the place has it", "Be brief."),
    ]


def test_one_click_rolls_back(admin, alias):
    admin.post("/releases/support/move/", FORM)
    assert "Roll back to 1: small" in admin.get("/releases/support/").content.decode()

    for _ in range(2):  # two admins at once
        admin.post("/releases/support/roll-back/", {"to": "1"})

    assert releases.get("support").stable.model == "small"
    assert admin.post("/releases/support/roll-back/", {"to": "9" * 5_000}).status_code == 400
    assert Promotion.objects.latest("pk").action == "roll back"


def test_a_canary_and_a_shadow_are_started_and_stopped(admin, alias):
    admin.post("/releases/support/move/", FORM | {"action": "canary", "percent": "5"})
    admin.post("/releases/support/move/", FORM | {"action": "shadow", "model": "third"})
    page = admin.get("/releases/support/").content.decode()
    assert "canary, 5 of 100 people" in page
    assert "95 of 100 people" in page
    assert "shadow, 10 of 100 questions" in page

    for what in ("canary", "shadow"):
        admin.post("/releases/support/stop/", {"what": what})

    found = releases.get("support")
    assert (found.canary, found.shadow) == (None, None)


def test_a_trainer_sees_it_all_and_is_offered_no_button(trainer, alias):
    page = trainer.get("/releases/support/").content.decode()

    assert "small" in page
    assert "Go ahead" not in page
    assert "Roll back" not in page


def test_answers_stand_beside_those_of_the_shadow(trainer, alias):
    question = QuestionFactory(content="When do you open?")
    AnswerFactory(reply_to=question, conversation=question.conversation, content="At nine.")
    release = ReleaseFactory(alias=alias, model="large")
    ShadowAnswer.objects.create(question=question, release=release, answer="At ten.", ms=12)
    waiting = QuestionFactory(content="Not asked yet")
    ShadowAnswer.objects.create(question=waiting, release=release)

    (compared,) = trainer.get("/releases/support/shadows/").context["compared"]

    assert (compared.live.content, compared.shadow.answer) == ("At nine.", "At ten.")


def test_a_shadow_is_shown_though_the_answer_beside_it_is_gone(trainer, alias):
    release = ReleaseFactory(alias=alias, model="large")
    ShadowAnswer.objects.create(question=QuestionFactory(), release=release, answer="At ten.")

    page = trainer.get("/releases/support/shadows/").content.decode()

    assert "The answer is gone." in page
    assert "At ten." in page


def test_a_name_in_use_says_where_and_is_not_deleted(admin, alias):
    assistant.use_model("@support", actor=None)
    assert "Asked for by all places" in admin.get("/releases/support/").content.decode()

    refused = admin.post("/releases/support/delete/")

    assert refused.status_code == 409
    assistant.use_model("small", actor=None)
    assert admin.post("/releases/support/delete/").status_code == 302
    assert admin.get("/releases/").content.decode().count("No name yet") == 1


def test_models_can_be_chosen_by_name(admin, alias, endpoint):
    assert '<option value="@support">' in admin.get("/settings/models/").content.decode()


def test_the_gate_is_set_by_an_admin(admin, alias):
    suite = suite_version().suite

    admin.post("/releases/support/guard/", {"suites": [suite.pk], "margin": "5"})

    found = releases.get("support")
    assert (list(found.suites.all()), found.margin) == ([suite], 5.0)
    assert admin.post("/releases/support/guard/", {"margin": "nan"}).status_code == 422


def test_one_button_asks_all_that_the_gate_wants_to_know_and_asks_it_once(admin, alias):
    CorrectionFactory(question="When do you open?", approved=True)
    general = suite_version()
    releases.guard(alias, suites=[general.suite], margin=2.0, actor=None)

    first = admin.post("/releases/support/move/", FORM | {"action": "test"}, follow=True)
    admin.post("/releases/support/move/", FORM | {"action": "test"})

    assert "6 tests of it are on their way" in first.content.decode()
    assert sorted(SuiteRun.objects.values_list("version__suite__kind", "model")) == [
        ("corrections", "large"),
        ("corrections", "large"),
        ("uploaded", "large"),
        ("uploaded", "large"),
        ("uploaded", "small"),
        ("uploaded", "small"),
    ]
    assert releases.get("support").stable.model == "small"


def test_what_is_being_tested_is_told_and_what_is_promoted_next_is_filled_in(admin, alias):
    CorrectionFactory(question="When do you open?", approved=True)
    tried = FORM | {"action": "test", "system_prompt": "Be brief."}

    page = admin.post("/releases/support/move/", tried, follow=True).content.decode()

    assert page.count("Being tested:") == 4
    assert 'value="large"' in page
    assert "Be brief." in page
    assert '<option value="promote" selected>' in page


def test_what_was_not_tested_is_told_what_to_do(admin, alias):
    CorrectionFactory(approved=True)

    page = admin.post("/releases/support/move/", FORM).content.decode()

    assert "Test it first." in page


def test_what_a_test_would_take_is_told_before(admin, alias):
    CorrectionFactory(question="When do you open?", approved=True)

    unknown = admin.get("/releases/support/price/", FORM).content.decode()
    for model in ("large", "small"):
        ModelPriceFactory(model=model)
    places.forget()
    known = admin.get("/releases/support/price/", FORM).content.decode()

    assert "To test it takes 26 questions, at a price that is not known" in unknown
    assert "To test it takes 26 questions, for about $" in known
    assert admin.get("/releases/support/price/").content.decode().strip() == ""
    assert not alias.releases.filter(model="large").exists()
