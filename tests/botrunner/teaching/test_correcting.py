"""Correcting, judging in words and asking why: commands, menus and forms."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Correction
from tests.botrunner.talking import (
    ANSWER,
    QUESTION,
    answered,
    bots_words,
    rows,
    say_as_bot,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]

State = Correction.State
USE_IT = "Use it like this: `!correct [message_id] <better answer>`"
# What people, and those who try to break things, write behind a command.
WILD_WORDS = [
    '"unbalanced',
    '" " \' « “',
    "```py\nprint(1)\n",
    "`````",
    "\N{RIGHT-TO-LEFT OVERRIDE}dlrow olleh",
    "a\N{ZERO WIDTH SPACE}b\N{ZERO WIDTH JOINER}c",
    "@everyone <@&1> <@1> <#1> </hi:1>",
    "||spoiler|| [link](https://example.org) # title",
    "\\",
    "-1",
    "99999999999999999999999999",
    "tab\tand more",
]


async def taught() -> list[Correction]:
    return await rows(
        Correction.objects.order_by("pk").select_related("discord_author", "message", "reviewer")
    )


def sentences(channel) -> list[str]:
    """What the bot said, without the references under it."""
    return [words.partition("\n")[0] for words in bots_words(channel)]


# --- the command ------------------------------------------------------------------------
@pytest.mark.origin(8, 20)
async def test_an_answer_of_the_bot_is_corrected_by_its_id(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    await ada.send(channel, f"!correct {message.id} At nine.")

    [correction] = await taught()
    assert bots_words(channel)[-1] == (
        f"Correction received: At nine.\nIt waits for a trainer, as #{correction.pk}; "
        "I will tell you once it is in force."
    )
    assert (correction.question, correction.rejected_answer) == (QUESTION, ANSWER)
    assert (correction.better_answer, correction.message_id) == ("At nine.", answer.pk)
    assert (correction.discord_author.name, correction.state) == ("ada", State.PROPOSED)


@pytest.mark.origin(21)
async def test_a_correction_keeps_who_where_what_and_when(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)
    await ada.send(channel, "!correct At nine.", reply_to=message)

    [correction] = await rows(
        Correction.objects.select_related(
            "discord_author", "message__conversation__discord_channel__guild"
        )
    )
    place = correction.message.conversation.discord_channel
    assert correction.discord_author.discord_user_id == ada.id
    assert place.guild.discord_guild_id == channel.guild.id
    assert correction.message.discord_message_id == message.id
    assert (correction.question, correction.rejected_answer) == (QUESTION, ANSWER)
    assert correction.created_at is not None


async def test_a_reply_needs_no_id(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    await ada.send(channel, "!correct 42 is the answer", reply_to=message)

    [correction] = await taught()
    assert (correction.better_answer, correction.message_id) == ("42 is the answer", answer.pk)


async def test_a_link_names_the_answer_too(simcord_env, channel, ada):
    message, answer = await answered(simcord_env, channel, ada)

    await ada.send(channel, f"!correct {message.jump_url} At nine.")

    assert [each.message_id for each in await taught()] == [answer.pk]


async def test_what_a_trainer_writes_is_in_force_at_once(simcord_env, channel, ada, trainer):
    message, _ = await answered(simcord_env, channel, ada)

    await trainer.send(channel, f"!correct {message.id} At nine.")

    [correction] = await taught()
    assert correction.state == State.APPROVED
    said = [words for words in bots_words(channel) if words.startswith("Correction received")]
    assert said == [f"Correction received: At nine.\nIt is in force at once, as #{correction.pk}."]


async def test_the_words_are_kept_verbatim(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)
    words = '  At "nine",\n\n```\n  indented\n```\nand *not* later'

    await ada.send(channel, f"!correct {message.id} {words}")

    assert [each.better_answer for each in await taught()] == [words]


async def test_a_part_of_a_long_answer_is_the_answer(simcord_env, channel, ada):
    first = await say_as_bot(simcord_env, channel, "part 1")
    part = await say_as_bot(simcord_env, channel, "part 2")
    _, answer = await answered(simcord_env, channel, ada)

    @database_sync_to_async
    def posted_in_parts() -> None:
        answer.discord_message_id, answer.discord_parts = first.id, [part.id]
        answer.save()

    await posted_in_parts()
    await ada.send(channel, f"!correct {part.id} At nine.")

    assert [each.message_id for each in await taught()] == [answer.pk]


@pytest.mark.origin(20)
async def test_anything_but_a_logged_answer_in_that_channel_is_not_found(simcord_env, channel, ada):
    other = channel.guild.create_text_channel("other")
    elsewhere, _ = await answered(simcord_env, other, ada)
    own = await ada.send(channel, "my own words")
    unlogged = await say_as_bot(simcord_env, channel)

    for number in (elsewhere.id, own.id, unlogged.id, 1, 2**64, 10**19):
        await ada.send(channel, f"!correct {number} At nine.")

    assert sentences(channel)[1:] == ["Message not found."] * 6
    assert await taught() == []
    assert len(simcord_env.errors) == 6


async def test_a_deleted_answer_is_still_corrected(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)
    await message.delete()

    await ada.send(channel, f"!correct {message.id} At nine.")

    assert len(await taught()) == 1


async def test_a_direct_message_is_corrected_as_well(simcord_env, ada):
    await ada.send_dm("!hi")
    dm = ada.user.dm_channel
    message, _ = await answered(simcord_env, dm, ada)

    await ada.send_dm(f"!correct {message.id} At nine.")

    assert [each.better_answer for each in await taught()] == ["At nine."]


async def test_an_answer_in_a_thread_is_corrected_there(simcord_env, channel, ada):
    question = await ada.send(channel, "a question")
    thread = await simcord_env.bot.get_channel(channel.id).create_thread(
        name="talk", message=question
    )
    await simcord_env.settle()
    inside = next(each for each in channel.threads if each.id == thread.id)
    message, _ = await answered(simcord_env, inside, ada)

    await ada.send(inside, f"!correct {message.id} At nine.")

    assert [each.better_answer for each in await taught()] == ["At nine."]


@pytest.mark.parametrize("words", ["", " ", "nonsense", "12345", "\n"])
async def test_what_makes_no_sense_is_told_how_to_use_it(simcord_env, channel, ada, words):
    await ada.send(channel, f"!correct {words}")

    assert sentences(channel) == [USE_IT]
    assert len(simcord_env.errors) == 1


async def test_the_same_words_as_before_are_refused(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)

    await ada.send(channel, f"!correct {message.id} {ANSWER}")

    assert bots_words(channel)[-1].startswith("The better answer is the same as the old one.")
    assert len(simcord_env.errors) == 1


@pytest.mark.origin(14)
@pytest.mark.parametrize("words", [*WILD_WORDS, "😀" * 950])
async def test_wild_words_get_one_safe_reply_and_are_kept_as_they_are(
    simcord_env, channel, ada, words
):
    message, _ = await answered(simcord_env, channel, ada)

    await ada.send(channel, f"!correct {message.id} {words}")

    [said] = bots_words(channel)[1:]
    assert said.startswith("Correction received: ")
    assert "@everyone" not in said
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in said
    assert [each.better_answer for each in await taught()] == [words]


@pytest.mark.origin(14)
@pytest.mark.parametrize("words", WILD_WORDS)
async def test_wild_words_without_an_answer_get_one_safe_reply(simcord_env, channel, ada, words):
    await ada.send(channel, f"!correct {words}")
    await ada.send(channel, f"!feedback {words}")

    said = sentences(channel)
    assert len(said) == 2
    assert said[0] in (USE_IT, "Message not found.")
    assert said[1].startswith("I have not answered you here yet.")
    assert len(simcord_env.errors) == 2


async def test_a_flood_is_stopped(simcord_env, channel, ada):
    message, _ = await answered(simcord_env, channel, ada)

    for number in range(7):
        await ada.send(channel, f"!correct {message.id} At {number}.")

    assert bots_words(channel)[-1].startswith("Not so fast: `!correct` works again in ")
    assert len(await taught()) == 6
    assert len(simcord_env.errors) == 1
