"""Feedback in words, and why an answer is as it is."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Feedback
from dashboard.services import corrections
from tests.botrunner.talking import QUESTION, answered, bots_words, rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


# --- feedback -----------------------------------------------------------------------------
@pytest.mark.origin(8, 21)
async def test_feedback_belongs_to_the_latest_answer_to_that_person(simcord_env, channel, ada):
    grace = channel.guild.add_member(simcord_env.create_user("grace"))
    await answered(simcord_env, channel, ada, text="First.")
    _, latest = await answered(simcord_env, channel, ada, text="Second.")
    await answered(simcord_env, channel, grace, text="Third.")

    await ada.send(channel, '!feedback "great", really')

    [kept] = await rows(Feedback.objects.all())
    assert (kept.message_id, kept.text, kept.rating) == (latest.pk, '"great", really', 0)
    assert bots_words(channel)[-1].startswith("Thank you for your feedback!")


async def test_feedback_as_a_reply_belongs_to_that_answer(simcord_env, channel, ada):
    message, first = await answered(simcord_env, channel, ada, text="First.")
    await answered(simcord_env, channel, ada, text="Second.")

    await ada.send(channel, "!feedback great", reply_to=message)

    assert [each.message_id for each in await rows(Feedback.objects.all())] == [first.pk]


async def test_feedback_by_slash_is_for_ones_own_eyes(simcord_env, channel, ada, synced):
    await answered(simcord_env, channel, ada)

    result = await ada.slash(channel, "feedback", text="great")

    assert result.response.ephemeral
    assert result.response.content.startswith("Thank you for your feedback!")


# --- why ----------------------------------------------------------------------------------
async def test_why_names_the_model_the_corrections_the_tokens_the_cost_and_the_time(
    simcord_env, channel, ada
):
    await answered(
        simcord_env,
        channel,
        ada,
        model="small",
        example_ids=[3, 8],
        prompt_tokens=1312,
        completion_tokens=40,
        cost_usd="0.001200",
        first_token_ms=200,
        total_ms=1234,
    )

    await ada.send(channel, "!why")

    assert bots_words(channel)[-1].splitlines() == [
        "The model small wrote this answer in 1,234 ms, the first words after 200 ms.",
        "It was shown these corrections of similar questions: #3, #8.",
        "It read 1,312 tokens and wrote 40, which cost $0.001200.",
    ]


async def test_why_tells_of_a_correction_that_fired(simcord_env, channel, ada, synced):
    correction = await database_sync_to_async(corrections.propose)(
        question=QUESTION, better_answer="At nine.", approved=True
    )
    message, _ = await answered(
        simcord_env, channel, ada, text="At nine.", correction_id=correction.pk
    )

    result = await ada.context_menu(channel, "Why this answer?", message)

    assert result.response.ephemeral
    assert result.response.content == (
        f"These are the words of correction #{correction.pk}, exactly as a person wrote them. "
        "No model was asked."
    )


async def test_why_says_in_words_why_there_is_no_answer(simcord_env, channel, ada):
    await answered(simcord_env, channel, ada, error="The model *is* busy. Ask again.")

    await ada.send(channel, "!why")

    assert bots_words(channel)[-1] == (r"There was no answer: The model \*is\* busy. Ask again.")


async def test_why_without_any_answer_says_so(simcord_env, channel, ada):
    await ada.send(channel, "!why")

    assert bots_words(channel)[-1].startswith("I have not answered you here yet.")
    assert len(simcord_env.errors) == 1
