"""A model that a place names itself: quick where nobody tested it, with a reason where it is bad."""

import pytest

from dashboard.models import AuditEvent, GuildSettings, Verdict
from dashboard.services import assistant, providers, releases, suites
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    PlaceSettingsFactory,
    ReleaseFactory,
    SuiteRunFactory,
    TaskFactory,
    everyday_run,
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
    usual = {"was": "", "guild": None, "why": why, "actor": None, "save": lambda: None}
    return releases.permit(model, **usual | how)


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

    with pytest.raises(InvalidInput, match=r"bad is not chosen yet\. It fails 1 of 1 correction"):
        permit("bad")
    assert permit("bad", "We look at it together.") == ""

    event = AuditEvent.objects.get(action="model.override")
    assert (event.target, event.detail["why"]) == ("bad", "We look at it together.")


def test_of_what_could_not_be_saved_no_reason_is_audited():
    failing()

    def refused() -> None:
        raise InvalidInput("The longest answer has 1 to 1,000,000 tokens.")

    with pytest.raises(InvalidInput, match="longest answer"):
        permit("bad", "We look at it together.", save=refused)

    assert not AuditEvent.objects.filter(action="model.override").exists()


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


def fails_on(guild, model: str = "bad") -> None:
    CorrectionFactory(approved=True, guild=guild)
    for with_recall in (True, False):
        SuiteRunFactory(
            version=suites.corrections_suite(guild), model=model, rights=[False],
            with_recall=with_recall, endpoint=providers.endpoint().name,
        )  # fmt: skip


def test_a_name_whose_gate_never_heard_of_a_server_is_heard_on_what_that_taught():
    guild = DiscordGuildFactory()
    fails_on(guild)
    AliasFactory(name="support", answered_by="bad")

    with pytest.raises(InvalidInput, match=r"@support is not chosen yet\. It fails 1 of 1"):
        permit("@support", guild=guild)
    with pytest.raises(InvalidInput, match="It fails 1 of 1"):
        permit("@support")
    assert permit("@support", guild=guild, why="To try.") == ""


def test_a_name_is_heard_with_its_canary():
    guild = DiscordGuildFactory()
    fails_on(guild, "tried")
    alias = AliasFactory(name="support", answered_by="good")
    alias.canary, alias.canary_percent = ReleaseFactory(alias=alias, model="tried"), 10
    alias.save()

    with pytest.raises(InvalidInput, match="It fails 1 of 1"):
        permit("@support", guild=guild)


def test_a_name_that_nobody_tested_for_a_server_says_where_to_have_it_tested():
    guild = DiscordGuildFactory(name="Chess")
    CorrectionFactory(approved=True, guild=guild)
    AliasFactory(name="support", answered_by="good")

    said = permit("@support", guild=guild)

    assert said.startswith("Nobody has tested it for this place. It was not tested on Corrections")
    assert said.endswith("Have what answers there tested on the page of @support.")


def test_a_name_that_answers_on_a_server_already_has_been_heard_there():
    guild = DiscordGuildFactory()
    fails_on(guild)
    AliasFactory(name="support", answered_by="bad")
    PlaceSettingsFactory(guild=guild, model="@support")

    assert permit("@support", guild=guild) == ""


def test_everywhere_it_is_also_heard_on_what_servers_taught():
    fails_on(DiscordGuildFactory())

    with pytest.raises(InvalidInput, match="It fails 1 of 1 correction"):
        permit("bad")


def test_a_server_where_another_model_answers_has_no_say_everywhere():
    guild = DiscordGuildFactory()
    fails_on(guild)
    PlaceSettingsFactory(guild=guild, model="good")

    assert permit("bad") == ""


def test_of_many_servers_only_some_are_named():
    for number in range(6):
        CorrectionFactory(approved=True, guild=DiscordGuildFactory(name=f"Guild {number}"))

    said = permit("new")

    assert said.count("It was not tested on") == 3
    assert "Nor on 3 more." in said


def test_what_repeats_itself_is_known_to_be_bad_whatever_its_server_is_called():
    guild = DiscordGuildFactory(name="not tested")
    for number in range(6):
        CorrectionFactory(approved=True, guild=guild, question=f"What is behind door {number}?")
    version = suites.corrections_suite(guild)
    here = {"version": version, "model": "parrot", "endpoint": providers.endpoint().name}
    SuiteRunFactory(**here, rights=[True] * 6, with_recall=True)
    SuiteRunFactory(**here, rights=[False] * 6, with_recall=False)
    everyday_run("parrot", answer="Something else.", endpoint=here["endpoint"])

    with pytest.raises(InvalidInput, match="one and the same wrong answer to 18 of 18"):
        permit("parrot", guild=guild)


def test_one_that_was_heard_by_itself_alone_is_said_to_be_untested():
    CorrectionFactory(approved=True)
    SuiteRunFactory(
        version=suites.corrections_suite(), model="new", rights=[True], with_recall=False,
        endpoint=providers.endpoint().name,
    )  # fmt: skip

    assert permit("new").startswith("Nobody has tested it for this place.")


def everywhere(model: str) -> None:
    changed = assistant.current()
    changed.model = model
    assistant.save(changed=changed, actor=None)


def test_a_server_that_names_no_model_any_more_hears_of_the_one_that_then_answers(admin):
    guild = DiscordGuildFactory()
    fails_on(guild)
    PlaceSettingsFactory(guild=guild, model="good")
    everywhere("bad")
    address, given = f"/servers/{guild.pk}/answers/", {"model": "", "answers": ""}

    refused = admin.post(address, given)
    assert "bad is not chosen yet. It fails 1 of 1" in refused.content.decode()
    assert guild.places.get().model == "good"

    admin.post(address, given | {"why": "To try."})
    assert not guild.places.exclude(model="").exists()


def test_nothing_is_asked_of_what_answered_there_before_by_itself():
    guild = DiscordGuildFactory()
    fails_on(guild)

    assert permit("bad", guild=guild, otherwise="bad") == ""
    assert permit("", was="bad", guild=guild, otherwise="bad") == ""


def test_a_place_without_a_model_is_answered_as_what_it_is_part_of():
    guild = DiscordGuildFactory()
    channel = DiscordChannelFactory(guild=guild)
    thread = DiscordChannelFactory(guild=guild, parent=channel)
    everywhere("one")
    place = PlaceSettingsFactory(guild=guild, channel=thread)
    assert releases.answers_without(place) == "one"

    of_guild = PlaceSettingsFactory(guild=guild, model="two")
    assert releases.answers_without(place) == "two"
    assert releases.answers_without(of_guild) == "one"

    PlaceSettingsFactory(guild=guild, channel=channel, model="three")
    assert releases.answers_without(place) == "three"


# --- on the pages -----------------------------------------------------------------------
def test_use_everywhere_asks_for_the_reason_and_takes_it(admin):
    failing()

    asked = admin.post("/models/use/", {"model": "bad"})
    assert asked.status_code == 422
    assert "It fails 1 of 1 correction" in asked.content.decode()
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


def test_the_cheaper_model_of_a_budget_needs_a_reason_as_well(admin):
    failing()
    guild = DiscordGuildFactory()
    address = f"/servers/{guild.pk}/limits/"
    given = {
        "saving_model": "bad", "reviewers_needed": "1", "user_cooldown_s": "0",
        "guild_per_minute": "0",
    }  # fmt: skip

    refused = admin.post(address, given)
    assert refused.status_code == 422
    assert "Why it shall answer all the same" in refused.content.decode()
    assert not GuildSettings.objects.filter(saving_model="bad").exists()

    admin.post(address, given | {"why": "It is cheap."})
    assert GuildSettings.objects.get(guild=guild).saving_model == "bad"
    assert admin.post(address, given).status_code == 302


def test_a_form_that_is_wrong_elsewhere_is_not_asked_for_a_reason_and_audits_none(admin):
    failing()
    guild = DiscordGuildFactory()
    given = {"model": "bad", "answers": "", "language": "klingon!", "why": "To try."}

    refused = admin.post(f"/servers/{guild.pk}/answers/", given)

    assert refused.status_code == 422
    assert "A language tag looks like en" in refused.content.decode()
    assert not guild.places.exists()
    assert not AuditEvent.objects.filter(action="model.override").exists()


def test_the_settings_form_does_so_as_well(admin):
    failing()
    given = {"model": "bad", "system_prompt": "", "max_tokens": "100"}

    refused = admin.post("/settings/", given)
    assert refused.status_code == 422
    assert "Why it shall answer all the same" in refused.content.decode()

    admin.post("/settings/", given | {"why": "To try."})
    assert assistant.current().model == "bad"
