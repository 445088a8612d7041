"""One turn on any face: what is asked, recalled, answered and logged."""

import asyncio
import os
import subprocess
import sys
from contextlib import aclosing

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as ours

from dashboard.models import AssistantSettings, Message
from dashboard.services import assistant, chat, corrections
from dashboard.services.conversations import MAX_QUESTION_CHARACTERS, Answer
from tests.factories import AnswerFactory, ConversationFactory, CorrectionFactory
from tests.fakes.openai_endpoint import Reply, error_body
from trainerbot.errors import InvalidInput, ProviderRefused, ProviderUnavailable
from trainerbot.llm import Delta

pytestmark = pytest.mark.django_db(transaction=True)

begin = sync_to_async(ConversationFactory)
teach = sync_to_async(CorrectionFactory)
log_answer = sync_to_async(AnswerFactory)
QUESTION = "When does the library open?"
SETTINGS = {"DJANGO_SETTINGS_MODULE": "trainerbot.settings"}


@pytest.fixture
def nobody_at_home(settings):
    """An endpoint that does not answer: nothing listens on port 9."""
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"


async def ask(question=QUESTION, *, conversation=None, model="small") -> Answer:
    conversation = conversation or await begin()
    return await chat.answer(conversation=conversation, question=question, model=model)


@sync_to_async
def log_of(conversation) -> list[Message]:
    return list(conversation.messages.order_by("pk"))


def asked_of_the_model(endpoint) -> list[tuple[str, str]]:
    """Role and words of everything the model was sent last, but for the system prompt."""
    sent = endpoint.chats[-1]["messages"]
    return [(row["role"], row["content"]) for row in sent if row["role"] != "system"]


async def test_pieces_come_first_and_then_one_answer(endpoint):
    events = [
        event
        async for event in chat.reply(conversation=await begin(), question=QUESTION, model="small")
    ]

    assert "".join(event.text for event in events[:-1]) == "Hello there."
    assert isinstance(events[-1], Answer)
    assert events[-1].text == "Hello there."


async def test_both_sides_are_logged_with_how_the_answer_came_about(endpoint):
    endpoint.default.system_fingerprint = "knn:base"
    conversation = await begin()

    answer = await ask(conversation=conversation)

    asked, answered = await log_of(conversation)
    assert (asked.role, asked.content, asked.source) == ("user", QUESTION, "playground")
    assert (answered.pk, answered.content) == (answer.message_id, "Hello there.")
    assert (answered.reply_to_id, answered.model, answered.error) == (asked.pk, "small", "")
    assert (answered.prompt_tokens, answered.completion_tokens) == (7, 2)
    assert answered.fingerprint == "knn:base"
    assert answered.total_ms >= answered.first_token_ms > 0


# --- which model ----------------------------------------------------------------------
async def test_a_model_that_is_named_wins(endpoint, settings):
    settings.CHAT_MODEL = "from the environment"
    await AssistantSettings.objects.acreate(pk=1, model="from the settings")
    assert (await ask(model="large")).model == "large"


async def test_the_model_of_the_settings_comes_next(endpoint, settings):
    settings.CHAT_MODEL = "from the environment"
    await AssistantSettings.objects.acreate(pk=1, model="from the settings")
    assert (await ask(model="")).model == "from the settings"


async def test_then_the_model_of_the_environment(endpoint, settings):
    settings.CHAT_MODEL = "from the environment"
    assert (await ask(model="")).model == "from the environment"


async def test_else_the_first_model_that_chats_and_is_not_tuned(endpoint):
    names = ("text-embedding-3-small", "whisper-1", "ft:small:knn:x", "gpt-next")
    endpoint.models = [{"id": name, "object": "model", "created": 1} for name in names]
    assert (await ask(model="")).model == "gpt-next"


async def test_the_endpoint_is_not_asked_for_its_models_at_every_turn(endpoint):
    await ask(model="")
    await ask(model="")
    assert endpoint.seen.count("GET /v1/models") == 1


async def test_an_endpoint_without_chat_models_is_told_in_words(endpoint):
    endpoint.models = []
    with pytest.raises(ProviderUnavailable, match="no model that can chat"):
        await ask(model="")


async def test_another_endpoint_is_noticed_without_a_restart(endpoint, settings):
    assert (await ask()).text == "Hello there."
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        await ask()


async def test_a_change_of_the_settings_is_in_force_on_the_next_turn(endpoint):
    conversation = await begin()
    await ask(conversation=conversation)

    row = AssistantSettings(system_prompt="Speak like a pirate.", temperature=0.5, max_tokens=9)
    await sync_to_async(assistant.save)(changed=row, actor=None)
    await ask(conversation=conversation)

    sent = endpoint.chats[-1]
    assert sent["messages"][0] == {"role": "system", "content": "Speak like a pirate."}
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 9)


# --- corrections ------------------------------------------------------------------------
async def test_a_correction_approved_between_two_turns_is_in_force_on_the_second(endpoint):
    conversation = await begin()
    wrong = await ask(conversation=conversation)
    correction = await teach(question=QUESTION, better_answer="  At *nine*.\n")
    assert (await ask(conversation=conversation)).text == wrong.text

    await sync_to_async(corrections.approve)(correction=correction, reviewer=None)
    right = await ask(conversation=conversation)

    assert (right.text, right.correction_id) == ("  At *nine*.\n", correction.pk)
    assert right.example_ids == ()


async def test_a_correction_taught_by_another_process_is_in_force_on_the_next_turn(
    endpoint, database_for_processes
):
    await ask()
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "manage.py", "correct", QUESTION, "At nine."],
        cwd=ours.BASE_DIR,
        env={**os.environ, **SETTINGS, "DATABASE_URL": database_for_processes},
        check=True,
        capture_output=True,
    )
    assert (await ask()).text == "At nine."


async def test_a_rejected_correction_is_out_of_force_on_the_next_turn(endpoint):
    correction = await teach(question=QUESTION, approved=True)
    assert (await ask()).correction_id == correction.pk

    await sync_to_async(corrections.reject)(correction=correction, reviewer=None)

    assert (await ask()).correction_id is None


async def test_a_correction_answers_although_the_endpoint_is_dead(nobody_at_home):
    correction = await teach(question=QUESTION, better_answer="At nine.", approved=True)
    conversation = await begin()

    answer = await chat.answer(conversation=conversation, question=QUESTION)

    assert (answer.text, answer.correction_id) == ("At nine.", correction.pk)
    assert (await log_of(conversation))[1].correction_id == correction.pk


async def test_it_is_counted_how_often_a_correction_answered_and_was_shown(endpoint):
    fired = await teach(
        question="When does the Lindenhof library open?", better_answer="At nine.", approved=True
    )

    alike = await ask("When does the Lindenhof library open and where can I park?")
    await ask(fired.question)

    assert alike.example_ids == (fired.pk,)
    assert asked_of_the_model(endpoint)[:2] == [
        ("user", fired.question),
        ("assistant", fired.better_answer),
    ]
    await fired.arefresh_from_db()
    assert (fired.n_fired, fired.n_shown) == (1, 1)
    assert fired.last_fired_at is not None


# --- history ----------------------------------------------------------------------------
async def test_the_model_reads_what_was_said_before_in_this_conversation_only(endpoint):
    conversation, another = await begin(), await begin()
    endpoint.replies = [Reply(pieces=("One.",)), Reply(pieces=("Secret.",)), Reply()]
    await ask("First?", conversation=conversation)
    await ask("Whisper?", conversation=another)

    await ask("Second?", conversation=conversation)

    assert asked_of_the_model(endpoint) == [
        ("user", "First?"),
        ("assistant", "One."),
        ("user", "Second?"),
    ]


async def test_only_the_newest_of_a_long_history_is_sent(endpoint):
    conversation = await begin()
    for number in range(60):
        await log_answer(
            conversation=conversation,
            reply_to__content=f"Question {number}?",
            content=f"Answer {number}.",
        )

    await ask(conversation=conversation)

    sent = asked_of_the_model(endpoint)
    assert sent[-3:-1] == [("user", "Question 59?"), ("assistant", "Answer 59.")]
    assert len(sent) <= 41
    assert sent[0][0] == "user"


async def test_a_failed_answer_is_no_part_of_the_history_even_if_some_words_came(endpoint):
    conversation = await begin()
    endpoint.replies = [Reply(pieces=("It never",), cut=True, finish_reason=None)]
    with pytest.raises(ProviderUnavailable):
        await ask("First?", conversation=conversation)

    await ask("Second?", conversation=conversation)

    assert asked_of_the_model(endpoint) == [("user", "Second?")]


async def test_two_questions_at_once_are_answered_each_by_its_own_answer(endpoint):
    conversation = await begin()
    endpoint.default = Reply(delay_s=0.05)

    first, second = await asyncio.gather(
        ask("First?", conversation=conversation), ask("Second?", conversation=conversation)
    )

    rows = await log_of(conversation)
    asked = {row.pk: row.content for row in rows}
    replies = {row.pk: asked[row.reply_to_id] for row in rows if row.reply_to_id}
    assert len(rows) == 4
    assert (replies[first.message_id], replies[second.message_id]) == ("First?", "Second?")
    # Each time the model saw the right question last.
    assert {sent["messages"][-1]["content"] for sent in endpoint.chats} == {"First?", "Second?"}


async def test_the_first_of_two_questions_at_once_names_the_conversation(endpoint):
    conversation = await begin(title="")
    stale = await type(conversation).objects.aget(pk=conversation.pk)
    await ask("First?", conversation=conversation)
    await ask("Second?", conversation=stale)
    await conversation.arefresh_from_db()
    assert conversation.title == "First?"


# --- failures -----------------------------------------------------------------------------
async def test_an_endpoint_that_is_down_is_logged_in_words_and_raised(nobody_at_home):
    conversation = await begin()

    with pytest.raises(ProviderUnavailable) as raised:
        await ask(conversation=conversation)

    _, failed = await log_of(conversation)
    assert failed.error == str(raised.value)
    assert (failed.content, failed.model) == ("", "small")


async def test_an_unknown_model_is_refused_in_words(endpoint):
    endpoint.replies = [
        Reply(status=404, error=error_body("The model `nix` does not exist", "model_not_found"))
    ]
    conversation = await begin()
    with pytest.raises(ProviderRefused, match="does not know model nix"):
        await ask(conversation=conversation, model="nix")
    assert "model nix" in (await log_of(conversation))[1].error


async def test_an_answer_that_breaks_off_is_no_answer_but_its_words_are_kept(endpoint):
    endpoint.replies = [Reply(pieces=("It never",), cut=True, finish_reason=None)]
    conversation = await begin()

    with pytest.raises(ProviderUnavailable, match="broke off"):
        await ask(conversation=conversation)

    failed = (await log_of(conversation))[1]
    assert failed.content == "It never"
    assert "broke off" in failed.error


async def test_an_empty_answer_is_no_answer(endpoint):
    endpoint.replies = [Reply(pieces=("",))]
    with pytest.raises(ProviderUnavailable, match="answered nothing"):
        await ask()


async def test_whoever_stops_listening_stops_the_model_and_leaves_the_words_in_the_log(endpoint):
    endpoint.default = Reply(pieces=("word ",) * 100, delay_s=0.02)
    conversation = await begin()

    async with aclosing(
        chat.reply(conversation=conversation, question=QUESTION, model="small")
    ) as events:
        async for event in events:
            assert isinstance(event, Delta)
            break

    left = (await log_of(conversation))[1]
    assert left.content == "word "
    assert left.error == "The asker stopped listening."
    assert await asyncio.to_thread(endpoint.stopped.wait, 60)


async def test_a_cancelled_turn_leaves_the_words_in_the_log_as_well(endpoint):
    endpoint.default = Reply(pieces=("word ",) * 1000, delay_s=0.02)
    conversation = await begin()
    heard = asyncio.Event()

    async def listen() -> None:
        async for _ in chat.reply(conversation=conversation, question=QUESTION, model="small"):
            heard.set()

    task = asyncio.create_task(listen())
    await heard.wait()

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    left = (await log_of(conversation))[1]
    assert left.content.startswith("word ")
    assert await asyncio.to_thread(endpoint.stopped.wait, 60)


@pytest.mark.parametrize(
    ("question", "complaint"),
    [
        (" \n", "is empty"),
        ("x" * (MAX_QUESTION_CHARACTERS + 1), "32,000 is the most"),
        ("nul \x00", "no text"),
        ("half \ud83d", "no text"),
    ],
)
async def test_a_question_that_is_none_is_refused_in_words_and_not_stored(
    endpoint, question, complaint
):
    conversation = await begin()
    with pytest.raises(InvalidInput, match=complaint):
        await ask(question, conversation=conversation)
    assert await log_of(conversation) == []
    assert endpoint.chats == []
