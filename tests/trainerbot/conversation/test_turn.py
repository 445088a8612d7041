"""One turn, from the question to how its answer came about."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.openai_endpoint import Reply, error_body
from trainerbot.conversation import Finished, Memory, Recall, Recalled, turn
from trainerbot.errors import ProviderRefused, ProviderUnavailable
from trainerbot.llm import ChatModel, Delta, Endpoint, Usage, open_chat
from trainerbot.messages import ChatMessage, Role

NOTHING = Recall([])


@pytest.fixture
async def llm(endpoint: Endpoint) -> AsyncIterator[ChatModel]:
    """A chat model at the fake endpoint."""
    opened = open_chat(endpoint)
    yield opened
    await opened.close()


async def ask(
    llm: ChatModel, question: str, *, recall: Recall = NOTHING, **kwargs: Any
) -> tuple[list[str], Finished]:
    """Return the pieces of an answer, and its end."""
    settings = {"history": [], "system_prompt": "", "model": "small", **kwargs}
    *pieces, finished = [
        event
        async for event in turn.answer(
            question, recalled=recall.recall(question), llm=llm, **settings
        )
    ]
    assert isinstance(finished, Finished)
    return [piece.text for piece in pieces if isinstance(piece, Delta)], finished


async def test_an_answer_of_the_model_comes_in_pieces_and_says_how_it_came(fake, llm):
    fake.default = Reply(pieces=("At", " nine."), model="small-2", system_fingerprint="knn:base")

    pieces, finished = await ask(llm, "When do you open?")

    assert "".join(pieces) == "At nine."
    assert (finished.text, finished.model) == ("At nine.", "small-2")
    assert (finished.correction_id, finished.example_ids) == (None, ())
    assert finished.usage == Usage(7, 2)
    assert (finished.finish_reason, finished.system_fingerprint) == ("stop", "knn:base")
    assert 0 < finished.first_token_ms <= finished.total_ms


async def test_a_correction_is_given_to_the_letter_and_no_model_is_asked(fake, llm):
    words = "  At *ten*.\n\n\tNot at nine. \n"
    recall = Recall([Memory(17, "When do you open?", words)])

    pieces, finished = await ask(llm, "when do you open", recall=recall)

    assert "".join(pieces) == words
    assert finished.text == words
    assert (finished.correction_id, finished.example_ids) == (17, ())
    assert (finished.model, finished.usage) == ("small", Usage())
    assert fake.seen == []


async def test_a_correction_is_given_while_the_endpoint_is_dead(llm, fake):
    fake.default = Reply(status=503, error=error_body("down"))
    recall = Recall([Memory(17, "When do you open?", "At ten.")])

    pieces, _ = await ask(llm, "When do you open?", recall=recall)

    assert pieces == ["At ten."]


async def test_corrections_of_like_questions_are_shown_to_the_model(fake, llm):
    recall = Recall([Memory(17, "What is your refund policy?", "14 days.")])

    _, finished = await ask(
        llm,
        "how do refunds work",
        recall=recall,
        history=[ChatMessage(Role.USER, "Hi"), ChatMessage(Role.ASSISTANT, "HI!")],
        system_prompt="Be kind.",
        temperature=0.2,
        max_tokens=50,
    )

    assert finished.example_ids == (17,)
    (sent,) = fake.chats
    assert [message["content"] for message in sent["messages"]] == [
        "Be kind.",
        "What is your refund policy?",
        "14 days.",
        "Hi",
        "HI!",
        "how do refunds work",
    ]
    assert (sent["temperature"], sent["max_tokens"]) == (0.2, 50)


async def test_the_words_for_one_plan_never_answer_for_another(fake, llm):
    recall = Recall([Memory(17, "How much is plan B?", "9 euros.")])

    pieces, finished = await ask(llm, "How much is plan A?", recall=recall)

    assert "".join(pieces) == "Hello there."
    assert (finished.correction_id, finished.example_ids) == (None, ())
    assert "9 euros" not in str(fake.chats)


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(pieces=()), ProviderUnavailable, "answered nothing"),
        (Reply(pieces=(" \n",)), ProviderUnavailable, "answered nothing"),
        (Reply(pieces=(), finish_reason="content_filter"), ProviderRefused, "content filter"),
        (Reply(pieces=(), finish_reason="length"), ProviderRefused, "longer answers"),
        (Reply(cut=True), ProviderUnavailable, "broke off"),
        (Reply(status=401, error=error_body("no")), ProviderRefused, "API key"),
    ],
)
async def test_no_answer_is_an_error_and_never_words_of_its_own(fake, llm, reply, kind, said):
    fake.default = reply

    with pytest.raises(kind, match=said):
        await ask(llm, "When do you open?")


async def test_an_answer_without_an_end_is_cut_off_in_words(fake, llm):
    fake.default = Reply(pieces=("and so on " * 5_000,) * 9)

    with pytest.raises(ProviderUnavailable, match="did not come to an end"):
        await ask(llm, "When do you open?")


async def test_whoever_stops_listening_stops_the_model(fake, llm):
    fake.default = Reply(pieces=("x",) * 1000, delay_s=0.01)
    events = turn.answer(
        "Hi", history=[], system_prompt="", recalled=Recalled(), llm=llm, model="small"
    )

    await anext(events)
    await events.aclose()

    assert await asyncio.to_thread(fake.stopped.wait, 2)
