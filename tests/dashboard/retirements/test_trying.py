"""A replacement is asked the same tests, compared, and promoted through the gate."""

from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from dashboard.models import SuiteRun, Task, Verdict
from dashboard.services import prices, providers, releases, retirements, tasks
from dashboard.services.suites.content import Content
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    DiscordGuildFactory,
    PlaceSettingsFactory,
    ReleaseFactory,
    SuiteFactory,
    SuiteRunFactory,
    suite_version,
)
from tests.fakes.openai_endpoint import Reply
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)


def run_all() -> None:
    while tasks.run_next("worker"):
        pass
    Task.objects.filter(kind="verdict").update(run_at="2000-01-01T00:00Z")
    tasks.run_next("worker")


@sync_to_async
def tried(new: str) -> Verdict:
    CorrectionFactory(question="Who are you?", better_answer="The bot.", approved=True)
    suite_version(suite=SuiteFactory(name="General"))
    verdict = retirements.begin("small", new, actor=None)
    run_all()
    verdict.refresh_from_db()
    return verdict


def answering(body: dict) -> Reply:
    """The good one and the old one know all answers, the bad one none."""
    asked = body["messages"][-1]["content"]
    if body["model"] == "bad":
        return Reply(pieces=("I do not know at all.",))
    return Reply(pieces=(f"Answer number {asked.split()[-1].strip('?')}.",))


async def test_one_that_does_as_well_can_take_its_place(endpoint):
    endpoint.answer = answering

    verdict = await tried("large")

    assert (verdict.decision, verdict.error) == ("promote", "")
    assert "large can take the place of small: on these tests it is no worse" in verdict.sentence


async def test_one_that_does_worse_cannot_and_the_gate_remembers(endpoint):
    endpoint.answer = answering

    verdict = await tried("bad")

    assert verdict.decision == "refuse"
    assert verdict.sentence.startswith("bad does not replace small yet: ")
    assert "fine-tune" not in verdict.sentence

    @sync_to_async
    def objections() -> list[str]:
        return releases.objections(ReleaseFactory(alias=AliasFactory(), model="bad"))

    assert any("When it was tried in its place" in said for said in await objections())


def test_what_was_asked_before_is_not_asked_again():
    version = suite_version()
    for with_recall in (True, False):
        SuiteRunFactory(
            version=version, model="small", rights=[True] * 4, with_recall=with_recall,
            endpoint=providers.endpoint().name,
        )  # fmt: skip

    plan = retirements.plan("small", "large")
    verdict = retirements.begin("small", "large", actor=None)

    assert plan.n_asked == 8 + 12  # everyday questions besides, to the new one alone
    assert verdict.runs.count() == 5
    assert SuiteRun.objects.count() == 5


def test_under_a_name_both_are_asked_with_its_persona_and_settings():
    alias = AliasFactory(name="support", answered_by="small")
    alias.stable.system_prompt, alias.stable.max_tokens = "Be brief.", 99
    alias.stable.save()
    suite_version()

    verdict = retirements.begin("small", "large", alias=alias, actor=None)

    asked = {(row.run.system_prompt, row.run.max_tokens) for row in verdict.runs.all()}
    assert asked == {("Be brief.", 99)}
    assert verdict.alias == alias


def test_under_a_name_rubrics_are_judged_by_the_judge_of_its_gate():
    alias = AliasFactory(name="support", answered_by="small", judge_model="strict")
    version = suite_version(
        Content(question="Who?", expected="I.", judge="model", judge_args={"rubric": "Brief."})
    )
    alias.suites.add(version.suite)
    for model in ("small", "large", "strict"):
        prices.save(model=model, prompt_usd=Decimal(1), completion_usd=Decimal(2), actor=None)
    planned = retirements.plan("small", "large", alias=alias)

    verdict = retirements.begin("small", "large", alias=alias, actor=None)

    runs = [row.run for row in verdict.runs.all()]
    judged = [run for run in runs if run.version.suite == version.suite]
    assert {run.judge_model for run in judged} == {"strict"}
    assert planned.usd == sum(run.estimated_usd for run in runs)


def test_corrections_of_each_server_where_the_old_one_answers_are_asked():
    guild = DiscordGuildFactory(name="Library")
    PlaceSettingsFactory(guild=guild, model="small")
    CorrectionFactory(question="When?", approved=True, guild=guild)

    (version,) = retirements.plan("small", "large").versions

    assert version.suite.guild == guild


def test_what_it_costs_is_told_before_where_prices_are_known():
    suite_version()
    prices.save(model="small", prompt_usd=Decimal(1), completion_usd=Decimal(2), actor=None)
    unknown = retirements.plan("small", "large").usd
    prices.save(model="large", prompt_usd=Decimal(1), completion_usd=Decimal(2), actor=None)

    assert unknown is None
    assert retirements.plan("small", "large").usd > 0


@pytest.mark.parametrize("new", ["", " ", "small", "@support", "a\nb", "x" * 201])
def test_what_cannot_take_its_place_is_refused_in_words(new):
    suite_version()

    with pytest.raises(InvalidInput):
        retirements.begin("small", new, actor=None)


def test_without_anything_to_test_on_that_is_said():
    with pytest.raises(InvalidInput, match="nothing to test on"):
        retirements.begin("small", "large", actor=None)
