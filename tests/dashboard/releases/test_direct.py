"""A model that a place names itself: quick where nobody tested it, with a reason where it is bad."""

import pytest

from dashboard.models import AuditEvent, Verdict
from dashboard.services import assistant, providers, releases, suites
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordGuildFactory,
    SuiteRunFactory,
    TaskFactory,
)
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


def failing(model: str = "bad") -> None:
    """It was asked what is in force, and knew nothing of it."""
    CorrectionFactory(approved=True)
    for with_recall in (True, False):
        SuiteRunFactory(
            version=suites.corrections_suite(), model=model, rights=[False],
            with_recall=with_recall, endpoint=providers.endpoint().name,
        )  # fmt: skip


def permit(model: str, why: str = "", **how: object) -> str:
    return releases.permit(model, **{"was": "", "guild": None, "why": why, "actor": None} | how)


def test_what_nobody_tested_is_let_through_with_words():
    CorrectionFactory(approved=True)

    assert permit("new") == (
        "Nobody has tested it for this place. It was not tested on Corrections v1 yet. "
        "Test it under Tests, or choose a name such as @support, which has a gate."
    )


def test_without_corrections_nothing_is_said():
    assert permit("new") == ""


def test_what_its_tests_object_to_needs_a_reason_which_is_audited():
    failing()

    with pytest.raises(InvalidInput, match=r"bad is not chosen yet\. It fails 1 of 1 corrections"):
        permit("bad")
    assert permit("bad", "We look at it together.") == ""

    event = AuditEvent.objects.get(action="model.override")
    assert (event.target, event.detail["why"]) == ("bad", "We look at it together.")


def test_a_bad_verdict_needs_a_reason_too():
    Verdict.objects.create(
        task=TaskFactory(), base_model="small", tuned_model="bad", decision="refuse",
        sentence="Do not promote bad: it forgot.",
    )  # fmt: skip

    with pytest.raises(InvalidInput, match="Do not promote bad"):
        permit("bad")


def test_what_stays_is_not_asked_about_nor_a_name_which_has_its_own_gate():
    failing()
    AliasFactory(name="support", answered_by="bad")

    assert permit("bad", was="bad") == ""
    assert permit("@support") == ""
    assert permit("") == ""


# --- on the pages -----------------------------------------------------------------------
def test_use_everywhere_asks_for_the_reason_and_takes_it(admin):
    failing()

    asked = admin.post("/models/use/", {"model": "bad"})
    assert asked.status_code == 422
    assert "It fails 1 of 1 corrections" in asked.content.decode()
    assert assistant.current().model == ""

    admin.post("/models/use/", {"model": "bad", "why": "To try."})
    assert assistant.current().model == "bad"


def test_use_everywhere_stays_one_click_for_what_nobody_tested(admin):
    CorrectionFactory(approved=True)

    page = admin.post("/models/use/", {"model": "new"}, follow=True).content.decode()

    assert assistant.current().model == "new"
    assert "Nobody has tested it for this place." in page


def test_a_servers_form_shows_where_to_write_the_reason(admin):
    failing()
    guild = DiscordGuildFactory()
    address, given = f"/servers/{guild.pk}/answers/", {"model": "bad", "answers": ""}

    refused = admin.post(address, given)
    assert refused.status_code == 422
    assert "Why it shall answer all the same" in refused.content.decode()
    assert not guild.places.exists()

    admin.post(address, given | {"why": "To try."})
    assert guild.places.get().model == "bad"


def test_the_settings_form_does_so_as_well(admin):
    failing()
    given = {"model": "bad", "system_prompt": "", "max_tokens": "100"}

    refused = admin.post("/settings/", given)
    assert refused.status_code == 422
    assert "Why it shall answer all the same" in refused.content.decode()

    admin.post("/settings/", given | {"why": "To try."})
    assert assistant.current().model == "bad"
