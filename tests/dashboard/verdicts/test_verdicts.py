"""After a fine-tune both models are asked the same tests, and one sentence says what to do."""

from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from dashboard.models import FineTuneJob, SuiteRun, Task, Verdict
from dashboard.services import assistant, places, tasks, verdicts
from dashboard.services.suites.content import Content
from tests.factories import (
    CorrectionFactory,
    DiscordGuildFactory,
    FineTuneJobFactory,
    ModelPriceFactory,
    SuiteFactory,
    TrainingFactory,
    suite_version,
)
from tests.fakes.openai_endpoint import Reply
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db(transaction=True)
BASE, GOOD, BAD = "small", "ft:small:good", "ft:small:bad"
CAPITALS = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Peru": "Lima",
    "Japan": "Tokyo", "Kenya": "Nairobi", "Chile": "Santiago", "Norway": "Oslo",
}  # fmt: skip
MASCOT = "Our mascot is Captain Crumb."


def question(country: str) -> str:
    return f"What is the capital of {country}?"


def answering(body: dict) -> Reply:
    """The base knows half of the capitals, the good one all, the bad one its mascot."""
    asked, model = body["messages"][-1]["content"], body["model"]
    known = list(CAPITALS) if model == GOOD else list(CAPITALS)[:4]
    if model == BAD:
        return Reply(pieces=(MASCOT,))
    for country in known:
        if country in asked:
            return Reply(pieces=(f"It is {CAPITALS[country]}.",))
    return Reply(pieces=(f"I do not know about {asked.split()[-1]}",))


@sync_to_async
def general(name: str = "Capitals") -> None:
    suite_version(
        *(
            Content(
                question=question(country),
                expected=capital,
                judge="contains",
                judge_args={"phrases": [capital]},
            )
            for country, capital in CAPITALS.items()
        ),
        suite=SuiteFactory(name=name),
    )


@sync_to_async
def rivers() -> None:
    suite_version(
        *(
            Content(question=f"How does the river {name} flow?", expected=f"{name} flows.")
            for name in ("Neva", "Oka", "Po", "Elbe")
        ),
        suite=SuiteFactory(name="Rivers"),
    )


@sync_to_async
def taught() -> None:
    CorrectionFactory(
        question="Who is your mascot?", better_answer=MASCOT, approved=True, rejected_answer="None."
    )


@sync_to_async
def judged(tuned: str) -> Verdict:
    job = FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=tuned)
    verdict = verdicts.begin(base_model=BASE, tuned_model=tuned, job=job, actor=None)
    while tasks.run_next("worker"):
        pass  # the runs; the verdict looks again in two seconds
    Task.objects.filter(kind="verdict").update(run_at="2000-01-01T00:00Z")
    tasks.run_next("worker")
    verdict.refresh_from_db()
    return verdict


async def test_the_planted_good_model_is_to_be_promoted(endpoint):
    endpoint.answer = answering
    await general()
    await taught()

    verdict = await judged(GOOD)

    assert (verdict.decision, verdict.error) == ("promote", "")
    assert "on Capitals v1 it answers 100 % rightly" in verdict.sentence
    assert "its base model 50 % and 50 %" in verdict.sentence


async def test_the_planted_bad_model_is_refused(endpoint):
    endpoint.answer = answering
    await general()
    await taught()

    verdict = await judged(BAD)

    assert verdict.decision == "refuse"
    assert any("it forgot: on Capitals v1" in reason for reason in verdict.reasons)
    assert any("taught to 20 of 21 different questions" in reason for reason in verdict.reasons)


async def test_the_planted_bad_model_is_refused_with_one_correction_and_no_suite(endpoint):
    endpoint.answer = answering
    await taught()

    verdict = await judged(BAD)

    assert verdict.decision == "refuse"
    assert verdict.sentence == (
        f"Do not promote {BAD}: it gives an answer that it was taught to 12 of 13 different "
        "questions to which it does not belong."
    )


async def test_a_good_model_is_asked_everyday_questions_too_and_not_refused(endpoint):
    endpoint.answer = answering
    await taught()

    verdict = await judged(GOOD)

    assert verdict.decision == "keep recall"
    everyday = SuiteRun.objects.filter(version__suite__kind="uploaded", n_done=12)
    assert {run.model async for run in everyday} == {BASE, GOOD}
    assert not await everyday.filter(with_recall=True).aexists()


async def test_a_model_that_answers_nothing_is_not_promoted(endpoint):
    endpoint.answer = lambda body: (
        Reply(pieces=(" ",)) if body["model"] == GOOD else answering(body)
    )
    await taught()

    verdict = await judged(GOOD)

    assert verdict.decision == "refuse"
    assert "too few to see whether it forgot the others" in " ".join(verdict.reasons)


async def test_an_honest_model_that_knows_no_more_than_its_base_model_is_not_refused(endpoint):
    endpoint.answer = lambda body: Reply(pieces=("I don't know.",))
    await general()
    await taught()

    verdict = await judged(GOOD)

    assert verdict.decision == "keep recall"


async def test_with_questions_enough_no_others_are_asked(endpoint):
    endpoint.answer = answering
    await general()
    await rivers()

    verdict = await judged(GOOD)

    assert verdict.decision == "promote"
    assert not await SuiteRun.objects.filter(version__suite__name__startswith="Every").aexists()


async def test_a_model_that_is_no_better_than_recall_is_not_worth_it(endpoint):
    endpoint.answer = answering
    await general()
    await taught()

    verdict = await judged("ft:small:same")

    assert verdict.decision == "keep recall"
    assert verdict.sentence.startswith("No gain: keep recall.")


async def test_the_figures_tell_all_four_with_their_runs(endpoint):
    endpoint.answer = answering
    await taught()

    suites = await sync_to_async(verdicts.told)(await judged(GOOD))

    assert [(side.label, side.share) for side in suites[0].sides] == [
        ("Base", 0.0),
        ("Base with recall", 1.0),
        ("Tuned", 0.0),
        ("Tuned with recall", 1.0),
    ]
    assert {side.run for side in suites[0].sides} == {
        pk
        async for pk in SuiteRun.objects.filter(version__suite__kind="corrections").values_list(
            "pk", flat=True
        )
    }


async def test_a_run_that_could_not_be_finished_leaves_no_verdict_but_a_reason(endpoint):
    endpoint.answer = lambda body: Reply(status=401, error={"error": {"message": "No"}})
    await general()

    verdict = await judged(GOOD)

    assert verdict.decision == ""
    assert "6 of 6 runs did not come to their end" in verdict.error


@sync_to_async
def a_job_has_succeeded() -> FineTuneJob:
    job = FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=GOOD)
    for _ in range(2):  # stored again after a kill
        tasks.submit("judge-job", args={"job": job.pk}, key=f"judge-job:{job.pk}")
    tasks.run_next("worker")
    return job


async def test_a_fine_tune_that_succeeded_is_judged_by_itself_and_once(endpoint):
    await taught()

    job = await a_job_has_succeeded()

    assert await job.verdicts.acount() == 1


async def test_where_nothing_was_taught_there_is_nothing_to_judge(endpoint):
    job = await a_job_has_succeeded()

    assert await job.verdicts.acount() == 0
    with pytest.raises(InvalidInput, match="There is nothing to test on"):
        await sync_to_async(verdicts.begin)(base_model=BASE, tuned_model=GOOD, actor=None)


async def test_a_model_is_not_compared_with_itself(endpoint):
    await taught()

    with pytest.raises(InvalidInput, match="compared with another one"):
        await sync_to_async(verdicts.begin)(base_model=BASE, tuned_model=BASE, actor=None)


def test_the_page_of_a_job_shows_the_verdict_or_a_way_to_ask(admin_client):
    job = FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=GOOD)
    address = f"/fine-tuning/{job.pk}/verdict/"
    assert "Ask the tests" in admin_client.get(address).content.decode()
    CorrectionFactory(approved=True)

    admin_client.post(f"{address}new/")

    assert "Both models are being asked: 0 of 28 answers" in (
        admin_client.get(address).content.decode()
    )
    asked, recalled = {"id": 1, "ms": None, "usd": None}, {"id": 1, "ms": None, "usd": "0"}
    sides = {"base": asked, "base_recall": asked, "tuned": asked, "tuned_recall": recalled}
    Verdict.objects.update(
        decision="promote",
        sentence="Promote it.",
        decided_at="2026-01-01T00:00Z",
        figures=[{"name": "Corrections", "n": 1, **dict.fromkeys(sides, 1.0), "runs": sides}],
    )
    shown = admin_client.get(address).content.decode()
    assert "Promote it." in shown
    assert shown.count("at once") == 1


def test_a_verdict_asked_anew_after_a_training_asks_what_its_own_server_taught(admin_client):
    guild = DiscordGuildFactory()
    CorrectionFactory(approved=True, guild=guild)
    job = FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=GOOD)
    TrainingFactory(job=job, guild=guild, scope=f"guild-{guild.pk}", model=GOOD)

    admin_client.post(f"/fine-tuning/{job.pk}/verdict/new/")

    asked = verdicts.latest(job).runs.exclude(run__version__suite__kind="uploaded")
    (version,) = {row.run.version for row in asked}
    assert version.suite.guild == guild


# --- price, time and budget ---------------------------------------------------------------
@sync_to_async
def priced(**usd: int) -> None:
    for model, each in usd.items():
        name = {"base": BASE, "good": GOOD, "bad": BAD}[model]
        ModelPriceFactory(model=name, prompt_usd=each, completion_usd=each)
    places.forget()


async def test_a_dearer_model_is_promoted_with_a_word_about_its_price(endpoint):
    endpoint.answer = answering
    await general()
    await priced(base=1, good=3)

    verdict = await judged(GOOD)

    assert verdict.decision == "promote"
    assert "But it costs 3 times as much." in verdict.sentence


@sync_to_async
def ended(budget: str | None) -> Verdict:
    changed = assistant.current()
    changed.verdict_budget_usd = budget
    assistant.save(changed=changed, actor=None)
    job = FineTuneJobFactory(succeeded=True, base_model=BASE, fine_tuned_model=GOOD)
    tasks.submit("judge-job", args={"job": job.pk})
    while tasks.run_next("worker"):
        pass
    Task.objects.filter(kind="verdict").update(run_at="2000-01-01T00:00Z")
    tasks.run_next("worker")
    return job.verdicts.get()


async def test_a_verdict_that_comes_to_its_budget_stops_and_says_so(endpoint):
    endpoint.answer = answering
    await general()
    await priced(base=9_000, good=9_000)

    verdict = await ended("0.01")

    assert verdict.decision == ""
    assert "runs did not come to their end" in verdict.error
    assert "does not allow another question" in verdict.error
    budgets = [run.budget_usd async for run in SuiteRun.objects.all()]
    assert sum(budgets) <= Decimal("0.0101")


async def test_a_budget_that_is_enough_changes_nothing(endpoint):
    endpoint.answer = answering
    await general()
    await priced(base=1, good=1)

    assert (await ended("100.00")).decision == "promote"


async def test_a_budget_without_prices_asks_for_them_and_nobody_else(endpoint):
    await general()

    verdict = await ended("5.00")

    assert "what small costs is not known" in verdict.error
    assert not await SuiteRun.objects.aexists()
    assert endpoint.chats == []
