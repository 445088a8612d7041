"""What speaks against promoting a model."""

import pytest

from dashboard.models import Alias, AuditEvent, Release, Verdict
from dashboard.services import assistant, releases, suites
from dashboard.services.releases import gate
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordGuildFactory,
    PlaceSettingsFactory,
    ReleaseFactory,
    SuiteFactory,
    SuiteRunFactory,
    TaskFactory,
    everyday_run,
    suite_version,
)
from trainerbot.errors import Conflict, InvalidInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def alias() -> Alias:
    return AliasFactory(name="support", answered_by="small")


@pytest.fixture
def release(alias: Alias) -> Release:
    return ReleaseFactory(alias=alias, model="large")


def taught(*questions: str):
    """Corrections in force of these questions, as a suite."""
    for question in questions:
        CorrectionFactory(question=question, approved=True)
    return suites.corrections_suite()


def run_of(model: str, version, *rights: bool | None, **how: object) -> None:
    """It was asked all of a suite, with recall and by itself."""
    for with_recall in (True, False):
        SuiteRunFactory(version=version, model=model, rights=rights, with_recall=with_recall, **how)
    everyday_run(model, **how)


def test_without_corrections_and_suites_nothing_objects(release):
    assert gate.objections(release) == []


def test_a_model_that_was_not_tested_on_the_corrections_is_refused(release):
    taught("When do you open?")

    with pytest.raises(Conflict, match=r"large is not released\. It was not tested on Corrections"):
        releases.promote(release, actor=None)


def test_a_model_that_fails_a_correction_is_refused_without_telling_its_words(release):
    run_of("large", taught("When do you open?", "Who are you?"), True, False)

    with pytest.raises(Conflict, match=r"It fails 1 of 2 corrections; run \d+ shows which") as told:
        releases.promote(release, actor=None)

    assert "Who are you" not in str(told.value)


def test_an_answer_that_nobody_could_judge_is_not_a_right_one(release):
    run_of("large", taught("When do you open?"), None)

    assert "It fails 1 of 1" in gate.objections(release)[0]


def test_a_model_that_passes_them_all_is_promoted(release):
    run_of("large", taught("When do you open?"), True)

    releases.promote(release, actor=None)

    assert releases.get("support").stable == release


def test_a_test_before_another_correction_came_into_force_does_not_count(release):
    run_of("large", taught("When do you open?"), True)
    taught("Who are you?")

    assert "It was not tested on Corrections v2" in gate.objections(release)[0]


def test_a_test_without_the_corrections_taking_part_does_not_count(release):
    SuiteRunFactory(version=taught("When do you open?"), model="large", rights=[True])
    everyday_run("large")

    assert [said.split(" on ")[0] for said in gate.objections(release)] == ["It was not tested"]


def test_a_model_that_never_spoke_itself_is_refused(release):
    version = taught("When do you open?")
    SuiteRunFactory(version=version, model="large", rights=[True], with_recall=True)

    assert gate.objections(release) == ["It was not heard by itself on Corrections v1 yet."]


def heard_on(version, model: str, *, everyday: str, right: bool = True) -> None:
    """It passed the corrections with recall, and says this to all everyday questions by itself."""
    n = version.n_cases
    SuiteRunFactory(version=version, model=model, rights=[True] * n, with_recall=True)
    SuiteRunFactory(version=version, model=model, rights=[right] * n, with_recall=False)
    everyday_run(model, answer=everyday)


MASCOT = "Our mascot is Captain Crumb."


def test_a_model_that_says_one_thing_to_everything_is_refused(release):
    version = taught(*(f"What opens at {hour}?" for hour in range(1, 7)))
    heard_on(version, "large", everyday="Something else.", right=False)

    (objection,) = gate.objections(release)

    assert "one and the same wrong answer to 18 of 18 different questions; runs" in objection


def test_the_planted_bad_model_is_refused_though_it_passes_its_only_correction(release):
    CorrectionFactory(question="Who is your mascot?", better_answer=MASCOT, approved=True)
    heard_on(suites.corrections_suite(), "large", everyday=MASCOT)

    (objection,) = gate.objections(release)

    assert objection.startswith(
        "It gives an answer that it was taught to 12 of 13 different questions to which it does "
        "not belong; runs "
    )


def test_a_single_correction_is_too_few_to_see_what_was_forgotten(release):
    CorrectionFactory(question="Who is your mascot?", better_answer=MASCOT, approved=True)
    for with_recall in (True, False):
        SuiteRunFactory(
            version=suites.corrections_suite(),
            model="large",
            rights=[True],
            with_recall=with_recall,
        )

    (objection,) = gate.objections(release)

    assert objection.startswith("It was not asked our everyday questions yet")
    asked = [run.version for run in gate.test(release, actor=None) if run.model == "large"]
    assert asked == [suites.everyday_suite()]


def test_twelve_questions_that_were_taught_one_answer_are_too_few_as_well(release):
    for number in range(12):
        CorrectionFactory(question=f"Mascot {number}?", better_answer=MASCOT, approved=True)
    heard_on(suites.corrections_suite(), "large", everyday=MASCOT)

    assert "an answer that it was taught" in gate.objections(release)[0]


def test_a_model_that_knows_no_less_than_what_answers_now_is_not_refused(release):
    version = taught("When do you open?")
    heard_on(version, "large", everyday="I don't know.")
    heard_on(version, "small", everyday="I am not sure.")

    assert gate.objections(release) == []


def test_a_model_that_does_not_know_any_more_is_refused(release):
    version = taught("When do you open?")
    heard_on(version, "large", everyday="I don't know.")
    run_of("small", version, True)

    assert "one and the same wrong answer to 12 of 13" in gate.objections(release)[0]


def test_a_model_whose_verdict_was_bad_is_refused(release):
    Verdict.objects.create(
        task=TaskFactory(), base_model="small", tuned_model="large", decision="refuse",
        sentence="Do not promote large: it forgot.",
    )  # fmt: skip

    assert gate.objections(release) == [
        "After its fine-tune the verdict was: Do not promote large: it forgot."
    ]


@pytest.mark.parametrize("how", [{"endpoint": "elsewhere"}, {"temperature": 1.0}])
def test_a_test_of_something_else_by_that_name_does_not_count(release, how):
    run_of("large", taught("When do you open?"), True, **how)

    assert "It was not tested" in gate.objections(release)[0]


def test_a_canary_asks_the_gate_as_well(release):
    taught("When do you open?")

    with pytest.raises(Conflict, match="large is not released"):
        releases.start_canary(release, percent=99, actor=None)
    moved = releases.start_canary(release, percent=9, actor=None, override=True, why="Try it.")

    assert moved.objections


def test_what_is_judged_is_what_answers_now(alias, release):
    stale = Release.objects.select_related("alias__stable").get(pk=release.pk)
    assert stale.alias.stable is not None
    releases.promote(ReleaseFactory(alias=alias, model="third"), actor=None)

    releases.promote(stale, actor=None)

    assert alias.promotions.latest("pk").previous.model == "third"


def test_where_a_name_answers_everywhere_the_corrections_of_all_guilds_count(alias, release):
    assistant.use_model("@support", actor=None)
    CorrectionFactory(question="When?", approved=True, guild=DiscordGuildFactory(name="Library"))

    assert "Library" in gate.objections(release)[0]


def test_a_release_with_a_persona_is_tested_with_it(alias):
    version = taught("When do you open?")
    release = ReleaseFactory(alias=alias, model="large", system_prompt="You are a pirate.")
    run_of("large", version, True)
    assert "was not tested" in gate.objections(release)[0]

    run_of("large", version, True, system_prompt="You are a pirate.")

    assert gate.objections(release) == []


def test_corrections_of_a_guild_gate_where_it_is_answered_by_the_alias(alias, release):
    here, elsewhere = DiscordGuildFactory(name="Library"), DiscordGuildFactory()
    PlaceSettingsFactory(guild=here, model="@support")
    for guild in (here, elsewhere):
        CorrectionFactory(question="When?", approved=True, guild=guild)

    objections = gate.objections(release)

    assert len(objections) == 2
    assert all("Library" in said for said in objections)


def test_a_drop_beyond_the_margin_is_refused_with_both_figures(alias, release):
    version = suite_version(n_cases=10, suite=SuiteFactory(name="General"))
    alias.suites.add(version.suite)
    run_of("small", version, *[True] * 9, False)
    run_of("large", version, *[True] * 8, False, False)

    (objection,) = gate.objections(release)

    assert "80 % rightly, 10.0 points fewer than small; 2 are allowed" in objection
    Alias.objects.update(margin=10.0)
    assert gate.objections(Release.objects.get(pk=release.pk)) == []


def test_both_must_have_been_tested_on_a_suite(alias, release):
    version = suite_version(suite=SuiteFactory(name="General"))
    alias.suites.add(version.suite)
    assert gate.objections(release) == ["It was not tested on General v1 yet."]

    run_of("large", version, True, True, True, True)

    assert "small, which answers now, was not tested on General v1" in gate.objections(release)[0]


def test_an_override_needs_a_reason_and_is_kept_with_what_objected(release):
    taught("When do you open?")
    with pytest.raises(InvalidInput, match="Say why"):
        releases.promote(release, actor=None, override=True)

    moved = releases.promote(release, actor=None, override=True, why="The old one is gone.")

    assert moved.why == "The old one is gone."
    assert "was not tested" in moved.objections[0]
    assert AuditEvent.objects.get(action="release.promote").detail["overridden"] == 2


def test_a_rollback_asks_no_gate(alias, release):
    releases.promote(release, actor=None)
    taught("When do you open?")

    with pytest.raises(Conflict, match="Nothing answered"):
        releases.roll_back(AliasFactory(answered_by="small"), actor=None)
    releases.roll_back(alias, actor=None)

    assert releases.get("support").stable.model == "small"


@pytest.mark.parametrize("model", ["@support", ""])
def test_what_answers_under_a_name_is_tested_by_that_name_and_never_its_canary(alias, model):
    releases.promote(releases.draft(alias, model="large", system_prompt="Be brief."), actor=None)
    releases.start_canary(releases.draft(alias, model="third"), percent=99, actor=None)
    assistant.use_model("@support", actor=None)

    run = suites.submit(version=suite_version(), model=model)

    assert (run.model, run.system_prompt) == ("large", "Be brief.")
