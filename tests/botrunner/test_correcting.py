"""Correcting, judging in words and asking why: commands, menus and forms."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import AuditEvent, Correction, DiscordChannel, Feedback, Message
from dashboard.services import corrections, places
from tests.botrunner.talking import (
    ANSWER,
    QUESTION,
    answered,
    bots_words,
    grant,
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


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
def ada(simcord_env, channel):
    return channel.guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
async def trainer(simcord_env, channel):
    role = channel.guild.create_role("teachers")
    await grant(channel.guild, role, "trainer")
    return channel.guild.add_member(simcord_env.create_user("grace"), roles=[role])


@pytest.fixture
async def synced(simcord_env):
    """As Discord knows the commands once the bot has told it of them."""
    await simcord_env.bot.tree.sync()


async def taught() -> list[Correction]:
    return await rows(
        Correction.objects.order_by("pk").select_related("discord_author", "message", "reviewer")
    )


# --- the command ------------------------------------------------------------------------
@pytest.mark.origin(20)
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


# --- by slash -----------------------------------------------------------------------------
async def test_by_slash_an_id_and_words_are_enough(simcord_env, channel, ada, synced):
    message, answer = await answered(simcord_env, channel, ada)

    result = await ada.slash(channel, "correct", message_id=str(message.id), text="At nine.")

    assert result.response.ephemeral
    assert result.response.content.startswith("Correction received: At nine.")
    assert [each.message_id for each in await taught()] == [answer.pk]


async def test_by_slash_without_words_a_form_opens_for_the_latest_answer(
    simcord_env, channel, ada, synced
):
    _, answer = await answered(simcord_env, channel, ada)

    shown = await ada.slash(channel, "correct")
    sent = await ada.submit_modal(shown, {"text0": "At nine."})

    assert sent.response.content.startswith("Correction received: At nine.")
    assert [each.message_id for each in await taught()] == [answer.pk]


# --- menus and forms ----------------------------------------------------------------------
async def test_the_menu_opens_a_form_with_the_old_answer(simcord_env, channel, ada, synced):
    message, _ = await answered(simcord_env, channel, ada, text="Never.\n\nIt is closed.")

    shown = await ada.context_menu(channel, "Correct this answer", message)
    field = shown.modal["components"][0]["component"]
    sent = await ada.submit_modal(shown, {"text0": "At nine.\n\n  Really."})

    assert (field["value"], field["max_length"]) == ("Never.\n\nIt is closed.", 4000)
    assert sent.response.ephemeral
    assert sent.response.content.startswith("Correction received: At nine. Really.")
    assert [each.better_answer for each in await taught()] == ["At nine.\n\n  Really."]


async def test_a_very_long_answer_fills_several_fields(simcord_env, channel, ada, synced):
    old = "\n".join(f"line {number} " + "x" * 90 for number in range(100))
    message, answer = await answered(simcord_env, channel, ada)

    @database_sync_to_async
    def grow() -> None:
        answer.content = old
        answer.save()

    await grow()
    shown = await ada.context_menu(channel, "Correct this answer", message)
    fields = [each["component"] for each in shown.modal["components"]]
    words = {field["custom_id"]: field["value"] for field in fields}
    await ada.submit_modal(shown, words | {"text0": f"New.\n{words['text0']}"[:4000]})

    assert len(fields) == 3
    assert "\n".join(field["value"] for field in fields) == old
    assert (await taught())[0].better_answer.startswith("New.\nline 0 ")


async def test_the_menu_on_other_peoples_words_finds_nothing(simcord_env, channel, ada, synced):
    message = await ada.send(channel, "my own words")

    for menu in ("Correct this answer", "Why this answer?"):
        result = await ada.context_menu(channel, menu, message)
        assert result.response.content.startswith("Message not found.")
        assert result.response.ephemeral


async def test_whom_the_bot_does_not_listen_to_is_refused_and_audited(
    simcord_env, channel, ada, synced
):
    message, _ = await answered(simcord_env, channel, ada)
    shown = await ada.context_menu(channel, "Correct this answer", message)
    await close(channel)

    menu = await ada.context_menu(channel, "Correct this answer", message)
    sent = await ada.submit_modal(shown, {"text0": "At nine."})
    thumb = await ada.click(message, custom_id=f"verdict:1:{await question_of(message)}")

    for result in (menu, sent, thumb):
        assert result.response.content.startswith("I do not answer in this channel.")
    denied = await rows(AuditEvent.objects.filter(action="access.deny").order_by("pk"))
    assert [each.target for each in denied] == ["correct", "correct", "feedback"]
    assert await taught() == []


# --- feedback -----------------------------------------------------------------------------
@pytest.mark.origin(21)
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


# --- what these tests read ------------------------------------------------------------------
def sentences(channel) -> list[str]:
    """What the bot said, without the references under it."""
    return [words.partition("\n")[0] for words in bots_words(channel)]


@database_sync_to_async
def close(channel) -> None:
    row = DiscordChannel.objects.get(discord_channel_id=channel.id)
    places.save_access(row, access="deny", actor=None)


@database_sync_to_async
def question_of(message) -> int:
    return Message.objects.get(discord_message_id=message.id).reply_to_id
