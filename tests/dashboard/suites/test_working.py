"""A run from the button to its scores, at a scripted endpoint, whatever breaks on the way."""

import json
import threading
from decimal import Decimal

import pytest
from django.db import connections

from dashboard.models import Correction, Judge, SuiteAnswer
from dashboard.services import budgets, suites
from dashboard.services.suites import estimates
from dashboard.services.suites.content import Content
from tests.dashboard.suites.asking import asked, question_of, saying, work
from tests.factories import (
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    GuildSettingsFactory,
    ModelPriceFactory,
    SuiteRunFactory,
    suite_version,
)
from tests.fakes.openai_endpoint import API_KEY, Reply, error_body
from trainerbot.errors import Conflict, InvalidInput, NotFound

pytestmark = pytest.mark.django_db

RIGHT = {f"Question {n}?": f"Answer number {n}." for n in range(4)}


def test_every_case_is_asked_judged_and_scored(endpoint):
    endpoint.answer = saying({**RIGHT, "Question 3?": "Something else."})
    run = work(suites.submit(version=suite_version(), model="small"))

    assert run.status == "succeeded"
    assert asked(endpoint) == sorted(RIGHT)
    assert (run.n_done, run.n_judged, run.n_right) == (4, 4, 3)
    assert run.scores["right"]["mean"] == 0.75
    assert run.scores["right"]["interval"][0] < 0.75 < run.scores["right"]["interval"][1]
    body = endpoint.chats[0]
    assert (body["model"], body["temperature"]) == ("small", 0)
    assert body["messages"][0]["role"] == "system"
    wrong = suites.answers(run).rows[0]
    assert (wrong.answer, wrong.judged_by) == ("Something else.", "similar")
    assert "does not say 3" in wrong.reason


def test_what_was_said_before_is_asked_with_the_question(endpoint):
    history = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}]
    version = suite_version(
        Content(question="And now?", expected="Now.", history=history, system="Be brief.")
    )
    work(suites.submit(version=version, model="small"))

    assert endpoint.chats[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        *history,
        {"role": "user", "content": "And now?"},
    ]


def test_with_recall_the_humans_words_answer_and_no_model_is_asked(endpoint):
    taught = CorrectionFactory(approved=True)
    run = work(suites.submit(version=suites.corrections_suite(), model="small", with_recall=True))

    assert endpoint.chats == []
    answer = run.answers.get()
    assert (answer.answer, answer.correction) == (taught.better_answer, taught)
    assert (answer.is_right, answer.judged_by) == (True, Judge.VERBATIM)
    assert (run.cost_usd, run.scores["n_recalled"]) == (0, 1)
    taught.refresh_from_db()
    assert taught.n_fired == 0


def test_with_recall_a_like_question_brings_examples_as_in_a_chat(endpoint):
    taught = CorrectionFactory(
        approved=True, question="When does the library open?", better_answer="At 9."
    )
    version = suite_version(Content(question="What time does the library open?", expected="At 9."))
    run = work(suites.submit(version=version, model="small", with_recall=True))

    said = [message["content"] for message in endpoint.chats[0]["messages"]]
    assert said[1:] == [taught.question, "At 9.", "What time does the library open?"]
    assert run.answers.get().example_ids == [taught.pk]


def test_a_correction_of_a_channel_is_recalled_in_that_channel(endpoint):
    guild = DiscordGuildFactory()
    channel = DiscordChannelFactory(guild=guild)
    CorrectionFactory(approved=True, guild=guild, channel=channel)
    run = work(
        suites.submit(version=suites.corrections_suite(guild), model="small", with_recall=True)
    )

    assert run.n_right == 1


def test_without_recall_nearly_its_words_count_as_taught(endpoint):
    CorrectionFactory(
        approved=True, question="Open?", better_answer="We open at 9 in the morning on Mondays."
    )
    endpoint.answer = saying({"Open?": "On Mondays we open at 9 in the morning."})
    run = work(suites.submit(version=suites.corrections_suite(), model="small"))

    answer = run.answers.get()
    assert (answer.is_right, answer.judged_by) == (True, Judge.SIMILAR)


def test_a_judge_model_gives_verdicts_with_reasons(endpoint):
    def answer(body):
        if body["model"] == "large":
            told = json.loads(question_of(body))
            right = "kind" in told["answer_to_judge"]
            verdict = {"reason": "It is kind.", "right": right, "score": 0.9 if right else 0.1}
            return Reply(pieces=(json.dumps(verdict),))
        return Reply(pieces=("A kind answer.",))

    endpoint.answer = answer
    version = suite_version(
        Content(question="Hello?", judge="model", judge_args={"rubric": "It must be kind."})
    )
    run = work(suites.submit(version=version, model="small", judge_model="large"))

    found = run.answers.get()
    assert (found.is_right, found.score, found.judged_by) == (True, 0.9, "large")
    assert found.reason == "It is kind."
    assert (run.n_judged, run.n_right) == (1, 1)


@pytest.mark.parametrize(
    "said", ["Right!", "{}", '{"right": "yes"}', '{"right": true, "score": 0}']
)
def test_a_verdict_that_cannot_be_read_is_not_judged_never_right(endpoint, said):
    endpoint.answer = lambda body: Reply(pieces=(said if body["model"] == "large" else "Hello.",))
    version = suite_version(Content(question="Hello?", expected="Hello.", judge="model"))
    run = work(suites.submit(version=version, model="small", judge_model="large"))

    found = run.answers.get()
    assert (found.is_right, found.score, found.judged_by) == (None, None, "large")
    assert "The judge" in found.reason
    assert (run.status, run.n_judged, run.scores) == ("succeeded", 0, None)


def test_without_a_judge_model_such_cases_are_asked_and_not_judged(endpoint):
    version = suite_version(Content(question="Hello?", expected="Hello.", judge="model"))
    run = work(suites.submit(version=version, model="small"))

    assert (run.n_done, run.n_judged) == (1, 0)
    assert run.answers.get().judged_by == "nobody"


def test_a_stored_answer_is_never_asked_for_again(endpoint):
    endpoint.answer = saying(RIGHT)
    run = suites.submit(version=suite_version(), model="small")
    case = run.version.cases.get(position=2)
    SuiteAnswer.objects.create(
        run=run, case=case, position=2, answer="Kept.", is_right=False, judged_by="similar", ms=1
    )
    type(run).objects.filter(pk=run.pk).update(n_done=1, n_judged=1)
    run = work(run)

    assert asked(endpoint) == ["Question 0?", "Question 1?", "Question 3?"]
    assert (run.n_done, run.n_right) == (4, 3)


def test_a_stored_answer_without_a_verdict_is_judged_and_not_asked_for_again(endpoint):
    endpoint.answer = lambda body: Reply(pieces=('{"right": true, "reason": "Yes."}',))
    version = suite_version(Content(question="Hello?", expected="Hi.", judge="model"))
    run = suites.submit(version=version, model="small", judge_model="large")
    SuiteAnswer.objects.create(
        run=run, case=version.cases.get(), position=0, answer="Hi there.", ms=1
    )
    type(run).objects.filter(pk=run.pk).update(n_done=1)
    run = work(run)

    assert [body["model"] for body in endpoint.chats] == ["large"]
    assert (run.n_done, run.n_right, run.answers.get().answer) == (1, 1, "Hi there.")


def test_an_endpoint_that_is_away_is_waited_for_in_words(endpoint):
    endpoint.answer = lambda body: Reply(
        status=503, error=error_body("Busy."), headers={"retry-after-ms": "1"}
    )
    run = work(suites.submit(version=suite_version(), model="small"))

    assert (run.status, run.task.step) == ("queued", "waiting")
    assert run.error

    endpoint.answer = saying(RIGHT)
    run = work(run)
    assert (run.status, run.n_right, run.error) == ("succeeded", 4, "")


def test_a_question_that_is_refused_counts_as_wrong_and_the_others_go_on(endpoint):
    def answer(body):
        if "2" in question_of(body):
            return Reply(status=400, error=error_body("Filtered.", "content_filter"))
        return saying(RIGHT)(body)

    endpoint.answer = answer
    run = work(suites.submit(version=suite_version(), model="small"))

    assert (run.status, run.n_done, run.n_right, run.n_refused) == ("succeeded", 4, 3, 1)
    assert suites.answers(run, show="refused").rows[0].error


def test_an_answer_without_words_is_wrong_and_not_asked_for_for_ever(endpoint):
    endpoint.answer = lambda body: Reply(pieces=())
    run = work(suites.submit(version=suite_version(n_cases=1), model="small"))

    assert (run.status, run.n_done, run.n_right, run.n_refused) == ("succeeded", 1, 0, 1)


def test_a_refusal_that_concerns_all_ends_the_run_in_words(endpoint):
    endpoint.answer = lambda body: Reply(status=404, error=error_body("no", "model_not_found"))
    run = work(suites.submit(version=suite_version(), model="absent"))

    assert run.status == "failed"
    assert "does not know model absent" in run.error


def test_what_it_costs_is_estimated_before_and_counted_after(endpoint):
    ModelPriceFactory(model="small", prompt_usd=Decimal(1), completion_usd=Decimal(1000))
    endpoint.answer = saying(RIGHT)
    run = suites.submit(version=suite_version(), model="small")
    assert run.estimated_usd > 0

    run = work(run)
    assert run.cost_usd > 0
    assert run.cost_usd == sum(row.cost_usd for row in run.answers.all())
    assert run.completion_tokens > 0


def test_a_run_stops_before_it_costs_more_than_its_budget(endpoint):
    # Each answer is told to have some tokens; one dollar pays for about one of them.
    ModelPriceFactory(model="small", prompt_usd=Decimal(0), completion_usd=Decimal(100_000))
    endpoint.answer = saying({f"Question {n}?": f"Answer number {n}." for n in range(40)})
    run = suites.submit(version=suite_version(n_cases=40), model="small", budget_usd=Decimal("2.5"))
    run = work(run)

    assert run.status == "failed"
    assert "does not allow another question" in run.error
    assert 0 < run.n_done < 40
    assert len(endpoint.chats) == run.n_done
    assert run.scores is not None


@pytest.mark.parametrize("how_it_ends", ["length", "content_filter", "stop"])
def test_a_model_that_thinks_and_says_nothing_is_paid_for_within_the_budget(endpoint, how_it_ends):
    # The endpoint tells that it read 7 tokens, for ten cents each.
    ModelPriceFactory(model="small", prompt_usd=Decimal(100_000), completion_usd=Decimal(0))
    endpoint.answer = lambda body: Reply(pieces=(), finish_reason=how_it_ends)
    run = suites.submit(version=suite_version(n_cases=40), model="small", budget_usd=Decimal(10))

    run = work(run)

    assert run.status == "failed"
    assert "does not allow another question" in run.error
    assert (
        run.cost_usd
        == Decimal("0.7") * run.n_done
        == sum(row.cost_usd for row in run.answers.all())
    )
    assert (0 < run.n_done < 40, run.n_refused) == (True, run.n_done)
    assert run.prompt_tokens == 7 * run.n_done


def test_a_budget_needs_a_price(endpoint):
    with pytest.raises(InvalidInput, match="price"):
        suites.submit(version=suite_version(), model="small", budget_usd=Decimal(1))


def test_a_server_without_budget_left_is_not_tested(endpoint):
    guild = GuildSettingsFactory(guild_tokens=0).guild
    CorrectionFactory(approved=True, guild=guild)

    with pytest.raises(budgets.OverBudget):
        suites.submit(version=suites.corrections_suite(guild), model="small")


def test_the_same_request_is_one_run_until_it_is_over(endpoint):
    endpoint.answer = saying(RIGHT)
    version = suite_version()
    first = suites.submit(version=version, model="small")
    assert suites.submit(version=version, model="small") == first
    assert suites.submit(version=version, model="small", with_recall=True) != first

    work(first)
    assert suites.submit(version=version, model="small") != first


def test_a_cancelled_run_keeps_what_it_has(endpoint):
    endpoint.answer = saying(RIGHT)
    run = suites.submit(version=suite_version(), model="small")
    suites.cancel(run, actor=None)
    assert suites.get(run.pk).status == "cancelled"

    running = SuiteRunFactory(rights=(True,))
    with pytest.raises(Conflict, match="over already"):
        suites.cancel(running, actor=None)


def test_another_endpoint_is_asked_by_its_name(endpoint, settings):
    url = endpoint.base_url
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    settings.MORE_ENDPOINTS = json.dumps({"other": {"base_url": url, "api_key": API_KEY}})
    endpoint.answer = saying(RIGHT)
    run = suites.submit(version=suite_version(), model="small", endpoint="other")
    run = work(run)

    assert (run.endpoint, run.n_right) == ("other", 4)
    with pytest.raises(NotFound, match="MORE_ENDPOINTS"):
        suites.submit(version=run.version, model="small", endpoint="nowhere")


def test_a_budget_for_all_answers_is_enough_for_all(endpoint):
    """The last one spends it; there is no other to ask."""
    ModelPriceFactory(model="small")
    endpoint.answer = saying(RIGHT)
    first = work(suites.submit(version=suite_version(), model="small", temperature=0.5))

    run = suites.submit(
        version=suite_version(), model="small", budget_usd=first.cost_usd * Decimal("1.1")
    )
    run.estimated_usd = first.cost_usd
    run.save(update_fields=["estimated_usd"])

    run = work(run)

    assert (run.status, run.n_done, run.error) == ("succeeded", 4, "")


@pytest.mark.parametrize("budget", ["0", "-1", "1e30", "0.0000001"])
def test_a_budget_that_is_none_is_refused_in_words(budget):
    with pytest.raises(InvalidInput, match="The budget is from"):
        suites.submit(version=suite_version(), model="small", budget_usd=Decimal(budget))


@pytest.mark.django_db(transaction=True)
def test_a_correction_that_is_erased_while_a_run_asks_leaves_no_words(endpoint):
    taught = CorrectionFactory(approved=True, question="When do you open?")
    other = CorrectionFactory(approved=True, question="Who are you?")
    run = suites.submit(version=suites.corrections_suite(), model="small")

    def erase() -> None:
        suites.erase([taught.pk])
        Correction.objects.filter(pk=taught.pk).delete()
        connections.close_all()

    def erase_meanwhile(body):
        if taught.question in question_of(body):
            person = threading.Thread(target=erase)
            person.start()
            person.join()
        return Reply(pieces=("At nine.",))

    endpoint.answer = erase_meanwhile
    run = work(run)

    assert run.status == "succeeded"
    gone, kept = run.answers.order_by("position")
    assert (gone.answer, gone.is_right) == ("[erased]", None)
    assert (kept.answer, kept.case.correction_id) == ("At nine.", other.pk)


def test_what_the_run_tells_first_is_estimated_for_each_case_without_its_own():
    version = suite_version(n_cases=10)

    short = estimates.of_run(version, {}, model="small")
    long = estimates.of_run(version, {}, model="small", system_prompt="x" * 4_000)

    assert long.prompt_tokens - short.prompt_tokens == 10 * 1_000
