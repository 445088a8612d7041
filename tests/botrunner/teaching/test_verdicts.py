"""Thumbs under answers, by button and by reaction."""

import pytest
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from botrunner.ui import verdict
from dashboard.models import Correction, Feedback
from tests.botrunner.talking import ANSWER, answered, rows, say_as_bot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def grace(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("grace"))


async def thumbs() -> list[tuple[int, str]]:
    found = await rows(Feedback.objects.order_by("pk").select_related("discord_user"))
    return [(each.rating, each.discord_user.name) for each in found]


def thumb(answer, rating: int) -> str:
    return f"verdict:{rating}:{answer.reply_to_id}"


async def test_a_thumb_is_kept_and_thanked_for(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    pressed = await ada.click(message, custom_id=thumb(answer, 1))

    assert pressed.response.ephemeral
    assert pressed.response.content == "Thanks, I am glad that it helped."
    assert await thumbs() == [(1, "ada")]


async def test_a_later_press_of_the_same_person_replaces_the_earlier(
    simcord_env, channel, ada, grace
):
    message, answer = await answered(simcord_env, channel, ada)

    await ada.click(message, custom_id=thumb(answer, 1))
    await grace.click(message, custom_id=thumb(answer, 1))
    await ada.click(message, custom_id=thumb(answer, -1))

    assert sorted(await thumbs()) == [(-1, "ada"), (1, "grace")]


async def test_a_thumb_down_offers_to_correct_the_answer(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    pressed = await ada.click(message, custom_id=thumb(answer, -1))
    shown = await ada.click(pressed.response, label="Correct it")
    sent = await ada.submit_modal(shown, {"text0": "At nine."})

    assert sent.response.content.startswith("Correction received: At nine.")
    correction = await Correction.objects.aget()
    assert (correction.better_answer, correction.rejected_answer) == ("At nine.", ANSWER)


async def test_the_buttons_and_open_forms_outlive_a_restart(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)
    pressed = await ada.click(message, custom_id=thumb(answer, -1))
    shown = await ada.click(pressed.response, label="Correct it")

    await simcord_env.restart_bot(TrainerBot())
    sent = await ada.submit_modal(shown, {"text0": "At nine."})
    again = await ada.click(message, custom_id=thumb(answer, 1))

    assert sent.response.content.startswith("Correction received: At nine.")
    assert again.response.content.startswith("Thanks")


async def test_no_message_leaves_anything_in_memory(simcord_env, channel, ada):
    store = simcord_env.bot._connection._view_store
    for _ in range(3):
        message, answer = await answered(simcord_env, channel, ada)
        pressed = await ada.click(message, custom_id=thumb(answer, -1))
        await ada.click(pressed.response, label="Correct it")

    kept = store._views, store._synced_message_views, store._modals
    assert [len(each) for each in kept] == [0, 0, 0]


async def test_a_thumb_for_an_answer_that_was_never_logged_is_told_so(simcord_env, channel, ada):
    message = await say_as_bot(simcord_env, channel, view=verdict.buttons(12345))

    pressed = await ada.click(message, custom_id="verdict:1:12345")

    assert pressed.response.content.startswith("Message not found.")


async def test_a_button_of_another_channel_reaches_no_answer(simcord_env, channel, ada):
    _, answer = await answered(simcord_env, channel, ada)
    other = channel.guild.create_text_channel("other")
    message = await say_as_bot(simcord_env, other, view=verdict.buttons(answer.reply_to_id))

    pressed = await ada.click(message, custom_id=thumb(answer, 1))

    assert pressed.response.content.startswith("Message not found.")
    assert await thumbs() == []


# --- reactions --------------------------------------------------------------------------
@pytest.mark.parametrize(("emoji", "rating"), [("👍", 1), ("👎", -1), ("👍🏽", 1)])
async def test_a_reaction_counts_like_a_button(simcord_env, channel, ada, emoji, rating):
    message, _ = await answered(simcord_env, channel, ada)

    await ada.react(message, emoji)

    assert await thumbs() == [(rating, "ada")]


async def test_a_reaction_taken_back_is_a_thumb_taken_back(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)
    await ada.react(message, "👍")

    await ada.unreact(message, "👍")

    assert await thumbs() == [(0, "ada")]


async def test_other_reactions_and_other_messages_are_left_alone(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)
    chatter = await ada.send(channel, "just talking")

    await ada.react(message, "🎉")
    await ada.react(chatter, "👍")
    await ada.unreact(chatter, "👍")

    assert await thumbs() == []


async def test_a_reaction_in_direct_messages_counts_too(simcord_env, ada):
    await ada.send_dm("!hi")
    dm = ada.user.dm_channel
    message, _ = await answered(simcord_env, dm, ada)

    await ada.user.set_reaction(message, "👎", reacted=True)

    assert await thumbs() == [(-1, "ada")]


async def test_words_stay_when_the_thumb_changes(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    @database_sync_to_async
    def kept() -> tuple[int, str]:
        return Feedback.objects.values_list("rating", "text").get()

    await ada.click(message, custom_id=thumb(answer, -1))
    await ada.send(channel, "!feedback You are *slow*", reply_to=message)
    await ada.click(message, custom_id=thumb(answer, 1))

    assert await kept() == (1, "You are *slow*")
