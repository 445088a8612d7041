"""What people may say about themselves: forget me, show me, delete me, speak my language."""

import json

import pytest
from channels.db import database_sync_to_async

from dashboard.models import (
    AuditEvent,
    Conversation,
    Correction,
    DiscordUser,
    Feedback,
    Message,
    PlaceSettings,
)
from dashboard.services import corrections, places
from tests.botrunner.talking import answered, bots_words, rows
from tests.fakes.openai_endpoint import Reply

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


@pytest.fixture
def grace(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("grace"))


@pytest.fixture
async def synced(simcord_env):
    await simcord_env.bot.tree.sync()


async def audited(action: str) -> list[AuditEvent]:
    return await rows(AuditEvent.objects.filter(action=action))


@database_sync_to_async
def put_in_force(pk: int) -> None:
    corrections.approve(correction=corrections.get(pk), reviewer=None)


# --- reset ------------------------------------------------------------------------------
async def test_reset_makes_later_turns_begin_anew_and_keeps_the_log(
    simcord_env, channel, ada, model
):
    me = simcord_env.bot.user.mention
    model.replies = [Reply(pieces=("I see.",)), Reply(pieces=("What secret?",))]
    await ada.send(channel, f"{me} my secret is 42")

    await ada.send(channel, "!reset")
    await ada.send(channel, f"{me} what is my secret?")

    assert "42" not in str(model.chats[1]["messages"])
    assert bots_words(channel)[1].startswith("Forgotten: the 2 messages between us here.")
    assert len(await rows(Message.objects.all())) == 4


async def test_a_reply_to_an_old_answer_brings_nothing_back_after_a_reset(
    simcord_env, channel, ada, model
):
    await ada.send(channel, f"{simcord_env.bot.user.mention} my secret is 42")
    old = channel.last_message
    await ada.send(channel, "!reset")

    await ada.send(channel, "what is my secret?", reply_to=old)

    assert len(model.chats) == 2
    assert "42" not in str(model.chats[1]["messages"])


async def test_reset_forgets_only_this_person_in_this_place(
    simcord_env, channel, ada, grace, model
):
    me = simcord_env.bot.user.mention
    other = channel.guild.create_text_channel("other")
    await grace.send(channel, f"{me} my secret is 41")
    await ada.send(other, f"{me} my secret is 43")
    await ada.send(channel, "!reset")

    await grace.send(channel, f"{me} what is my secret?")
    await ada.send(other, f"{me} what is my secret?")

    assert "41" in str(model.chats[2]["messages"])
    assert "43" in str(model.chats[3]["messages"])


async def test_reset_with_nothing_to_forget_says_so(channel, ada):
    await ada.send(channel, "!reset")

    assert bots_words(channel) == ["There is nothing to forget: I remember nothing of you here."]


# --- privacy ----------------------------------------------------------------------------
async def test_privacy_counts_what_is_stored_by_kind(simcord_env, channel, ada, synced):
    message, _ = await answered(simcord_env, channel, ada)
    await ada.send(channel, f"!correct {message.id} At nine.")
    await ada.send(channel, "!feedback great", reply_to=message)

    result = await ada.slash(channel, "privacy show")

    assert result.response.ephemeral
    lines = result.response.content.splitlines()
    assert lines[0].startswith("Stored about you since 20")
    assert lines[1:4] == [
        "- Conversations: 1, with 2 messages, yours and mine",
        "- Feedback: 1",
        "- Corrections: 1, of which 0 in force",
    ]


async def test_whoever_never_spoke_is_told_that_nothing_is_stored(simcord_env, channel, ada):
    for words in ("!privacy", "!privacy export", "!privacy delete"):
        await ada.send(channel, words)

    said = [words.partition("\n")[0] for words in bots_words(channel)]
    assert said == ["Nothing is stored about you."] * 3
    assert len(simcord_env.errors) == 3


async def test_the_export_holds_everything_and_only_the_asker_sees_it(
    simcord_env, channel, ada, grace, synced
):
    message, _ = await answered(simcord_env, channel, ada, question="Где библиотека?")
    await answered(simcord_env, channel, grace, question="a secret of grace")
    await ada.send(channel, f"!correct {message.id} At nine.")
    await ada.send(channel, "!feedback great", reply_to=message)

    result = await ada.slash(channel, "privacy export")

    [file] = result.response.attachments
    text = (await file.read()).decode()
    whole = json.loads(text)
    assert result.response.ephemeral
    assert whole["person"]["discord_user_id"] == str(ada.id)
    [talk] = whole["conversations"]
    assert [each["content"] for each in talk["messages"]] == [
        "Где библиотека?",
        "It never closes.",
    ]
    assert whole["corrections"][0]["better_answer"] == "At nine."
    assert whole["feedback"][0]["text"] == "great"
    assert "Где библиотека?" in text
    assert "secret of grace" not in text


async def test_the_export_by_prefix_goes_into_direct_messages(simcord_env, channel, ada):
    await answered(simcord_env, channel, ada)

    await ada.send(channel, "!privacy export")

    assert bots_words(channel)[-1] == "I have sent it to you in a direct message."
    [sent] = ada.user.dm_channel.history()
    assert sent.attachments[0].filename == "what-is-stored-about-me.json"


async def test_where_direct_messages_are_closed_the_export_is_not_shown_to_all(
    simcord_env, channel, ada
):
    await answered(simcord_env, channel, ada)
    simcord_env.inject_error("POST", "/users/@me/channels", status=403, code=50007)

    await ada.send(channel, "!privacy export")

    assert bots_words(channel)[-1].startswith("I may not write to you directly")


@pytest.mark.origin(50)
async def test_deleting_takes_a_confirmation_and_gives_a_receipt(
    simcord_env, channel, ada, grace, synced
):
    message, _ = await answered(simcord_env, channel, ada)
    await answered(simcord_env, channel, grace)
    await ada.send(channel, f"!correct {message.id} At nine.")
    await ada.send(channel, "!feedback great", reply_to=message)
    await put_in_force((await Correction.objects.aget()).pk)

    asked = await ada.slash(channel, "privacy delete")
    assert len(await rows(Conversation.objects.all())) == 2
    done = await ada.click(asked.response, label="Delete")

    said = asked.response.content
    number = said.partition("`")[2].partition("`")[0]
    assert done.acknowledged
    assert said.startswith(
        "Deleted: 1 conversation with 2 messages, 1 piece of feedback, 0 corrections."
    )
    assert asked.response.components == []
    assert [each.name for each in await rows(DiscordUser.objects.all())] == ["grace"]
    assert len(await rows(Message.objects.all())) == 2
    assert await rows(Feedback.objects.all()) == []
    [correction] = await rows(Correction.objects.select_related("discord_author"))
    assert (correction.author_name, correction.discord_author) == ("someone", None)
    assert correction.state == Correction.State.APPROVED
    [receipt] = await audited("privacy.erase")
    assert receipt.target == f"receipt {number}"
    assert "ada" not in f"{receipt.actor_name}{receipt.detail}"
    assert str(ada.id) not in f"{receipt.detail}"


async def test_on_wish_the_corrections_go_too_and_out_of_force(
    simcord_env, channel, ada, synced, model
):
    message, _ = await answered(simcord_env, channel, ada)
    await ada.send(channel, f"!correct {message.id} At nine.")
    await put_in_force((await Correction.objects.aget()).pk)
    asked = await ada.slash(channel, "privacy delete")

    await ada.click(asked.response, label="Delete, corrections too")
    await ada.send(channel, f"{simcord_env.bot.user.mention} When does the library open?")

    assert await rows(Correction.objects.all()) == []
    assert bots_words(channel)[-1] == "Hello there."


async def test_keeping_everything_deletes_nothing(simcord_env, channel, ada, synced):
    await answered(simcord_env, channel, ada)
    asked = await ada.slash(channel, "privacy delete")

    await ada.click(asked.response, label="Keep everything")

    assert asked.response.content == "Nothing was deleted."
    assert len(await rows(Message.objects.all())) == 2


async def test_nobody_else_may_confirm(simcord_env, channel, ada, grace):
    await answered(simcord_env, channel, ada)
    await ada.send(channel, "!privacy delete")

    pressed = await grace.click(channel.last_message, label="Delete")

    assert pressed.response.content.startswith("These buttons are for the person who asked.")
    assert len(await rows(Message.objects.all())) == 2


# --- language ---------------------------------------------------------------------------
async def test_a_language_is_chosen_shown_and_forgotten(channel, ada):
    for words in ("", "RU_ru", "", "none"):
        await ada.send(channel, f"!language {words}")

    nobody = "Nobody chose a language here: I answer in the one that you write in."
    assert bots_words(channel) == [
        nobody,
        "I will answer you in Russian (`ru-RU`) from now on.",
        "I answer you in Russian (`ru-RU`), as you chose.",
        f"Your wish is forgotten. {nobody}",
    ]


async def test_without_a_wish_the_language_of_the_place_is_shown(channel, ada):
    @database_sync_to_async
    def choose() -> None:
        row = places.guild(channel.guild.id)
        places.save_place(PlaceSettings(guild=row, language="de"), actor=None)

    await choose()
    await ada.send(channel, "!language")

    assert bots_words(channel) == ["I answer in German (`de`), as the admins chose here."]


@pytest.mark.parametrize("words", ["@everyone", "```", '"', "x" * 500, "😀", "en us", "-"])
async def test_what_is_no_language_is_refused_in_words(simcord_env, channel, ada, words):
    await ada.send(channel, f"!language {words}")

    [said] = bots_words(channel)
    assert said.startswith("That is no language I know.")
    assert len(simcord_env.errors) == 1
