"""Cards in the review channel, mended answers and the word to the reporter."""

import asyncio

import pytest
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from dashboard.models import AuditEvent, Correction, OutboxEvent
from dashboard.services import cards, corrections
from tests.botrunner.talking import ANSWER, answered, bots_words, grant, review_in, rows
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]

State = Correction.State


@pytest.fixture
def guild(simcord_env):
    return simcord_env.create_guild(name="Testers")


@pytest.fixture
def channel(guild):
    return guild.create_text_channel("general")


@pytest.fixture
async def desk(guild):
    """The review channel."""
    channel = guild.create_text_channel("corrections")
    await review_in(guild, channel)
    return channel


@pytest.fixture
def ada(simcord_env, guild):
    return guild.add_member(simcord_env.create_user("ada"))


@pytest.fixture
async def trainers(simcord_env, guild):
    role = guild.create_role("teachers")
    await grant(guild, role, "trainer")
    names = ("grace", "maya")
    return [guild.add_member(simcord_env.create_user(name), roles=[role]) for name in names]


@pytest.fixture
def trainer(trainers):
    return trainers[0]


async def hear(env, topic: str = corrections.TOPIC) -> None:
    """Let the bot hear of what changed, as it does from the outbox."""
    event = (await rows(OutboxEvent.objects.filter(topic=topic).order_by("-pk")))[0]
    env.bot.dispatch("outbox", event)
    # simcord waits for what Discord's events set off; this one is ours.
    await asyncio.gather(
        *(each for each in asyncio.all_tasks() if each.get_name() == "discord.py: on_outbox")
    )
    await env.settle()


async def proposed(env, channel, ada, words: str = "At nine.", **kwargs):
    """An answer that ada has corrected, of which the bot has heard."""
    message, answer = await answered(env, channel, ada, **kwargs)
    await ada.send(channel, f"!correct {message.id} {words}")
    await hear(env)
    return message, answer, (await rows(Correction.objects.order_by("-pk")))[0]


def card_of(desk):
    [card] = [each for each in desk.history() if each.author.bot]
    return card


def button(act: str, correction: Correction) -> str:
    return f"correction:{act}:{correction.pk}"


async def state_of(correction: Correction) -> str:
    return (await rows(Correction.objects.filter(pk=correction.pk)))[0].state


# --- the card ---------------------------------------------------------------------------
async def test_a_proposal_appears_as_a_card_once(simcord_env, channel, desk, ada):
    message, _, correction = await proposed(simcord_env, channel, ada)

    await hear(simcord_env)

    assert card_of(desk).content.splitlines() == [
        f"**Correction #{correction.pk}** by ada · {message.jump_url}",
        "**Question**",
        "> When does the library open?",
        "**I said**",
        f"> {ANSWER}",
        "**Better**",
        "> At nine.",
    ]
    labels = [child.label for row in card_of(desk).components for child in row.children]
    assert labels == ["Approve", "Edit & approve", "Reject"]


async def test_proposals_of_before_appear_once_a_channel_is_chosen(
    simcord_env, guild, channel, ada
):
    await proposed(simcord_env, channel, ada)
    desk = guild.create_text_channel("corrections")

    await review_in(guild, desk)
    await hear(simcord_env, "settings")

    assert "At nine." in card_of(desk).content


async def test_what_is_in_force_at_once_needs_no_card(simcord_env, channel, desk, ada, trainer):
    message, _ = await answered(simcord_env, channel, ada)

    await trainer.send(channel, f"!correct {message.id} At nine.")
    await hear(simcord_env)

    assert desk.history() == []


async def test_long_and_wild_words_are_cut_and_stand_whole_in_a_file(
    simcord_env, channel, desk, ada
):
    words = "**bold** @everyone `code` > " * 60
    _, _, correction = await proposed(simcord_env, channel, ada, words)

    card = card_of(desk)
    [file] = card.attachments
    assert len(card.content) <= 2000
    assert "@everyone" not in card.content
    assert card.content.endswith("…")
    assert correction.better_answer in (await file.read()).decode()


async def test_other_guilds_see_nothing_of_it(simcord_env, channel, desk, ada):
    other = simcord_env.create_guild(name="Others")
    elsewhere = other.create_text_channel("general")
    grace = other.add_member(simcord_env.create_user("eve"))

    await proposed(simcord_env, elsewhere, grace)

    assert desk.history() == []


async def test_a_channel_that_takes_no_cards_is_tried_again_once_settings_change(
    simcord_env, guild, channel, desk, ada
):
    simcord_env.inject_error("POST", f"/channels/{desk.id}/messages", status=403, code=50013)
    await proposed(simcord_env, channel, ada)
    await hear(simcord_env)
    assert desk.history() == []

    await review_in(guild, desk)
    await hear(simcord_env, "settings")

    assert "At nine." in card_of(desk).content


# --- deciding ---------------------------------------------------------------------------
async def test_approving_puts_it_in_force_mends_the_answer_and_tells_the_reporter(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)

    pressed = await trainer.click(card_of(desk), custom_id=button("approve", correction))
    await hear(simcord_env)

    assert pressed.response.ephemeral
    assert pressed.response.content == (
        f"Correction #{correction.pk} is in force from the next message."
    )
    old, _, told = bots_words(channel)
    assert old == f"At nine.\n-# corrected · #{correction.pk}"
    assert told == f"Thanks, ada: your correction #{correction.pk} is in force."
    assert card_of(desk).content.endswith("✅ In force, approved by grace")
    assert card_of(desk).components == []


async def test_the_word_to_the_reporter_is_a_reply_without_a_ping_and_said_once(
    simcord_env, channel, desk, ada, trainer
):
    message, _, correction = await proposed(simcord_env, channel, ada)
    await trainer.click(card_of(desk), custom_id=button("approve", correction))

    for _ in range(3):
        await hear(simcord_env)

    told = [r for r in simcord_env.http_requests if "Thanks, ada" in str(r.json)]
    assert len(told) == 1
    assert told[0].json["message_reference"]["message_id"] == message.id
    assert told[0].json["allowed_mentions"] == {"parse": [], "replied_user": False}


async def test_the_thumbs_stay_under_a_mended_answer(simcord_env, channel, desk, ada, trainer):
    message, answer, correction = await proposed(simcord_env, channel, ada)
    await trainer.click(card_of(desk), custom_id=button("approve", correction))
    await hear(simcord_env)

    pressed = await ada.click(message, custom_id=f"verdict:1:{answer.reply_to_id}")

    assert pressed.response.content.startswith("Thanks")


async def test_editing_approves_the_reviewers_words(simcord_env, channel, desk, ada, trainer):
    _, _, correction = await proposed(simcord_env, channel, ada)

    shown = await trainer.click(card_of(desk), custom_id=button("edit", correction))
    field = shown.modal["components"][0]["component"]
    await trainer.submit_modal(shown, {"text0": "At nine on weekdays."})
    await hear(simcord_env)

    assert field["value"] == "At nine."
    assert bots_words(channel)[0].startswith("At nine on weekdays.\n-# corrected")


async def test_rejecting_asks_why_and_tells_the_reporter_directly(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)

    shown = await trainer.click(card_of(desk), custom_id=button("reject", correction))
    await trainer.submit_modal(shown, {"note": "The hours *changed*."})
    await hear(simcord_env)

    assert bots_words(channel)[0] == ANSWER
    assert bots_words(ada.user.dm_channel) == [
        f"Thanks for your correction #{correction.pk}. The trainers decided against it: "
        r"The hours \*changed\*."
    ]
    assert card_of(desk).content.endswith(r"❌ Rejected by grace: The hours \*changed\*.")


async def test_others_than_trainers_are_refused_politely_and_audited(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)

    for act in ("approve", "edit", "reject"):
        pressed = await ada.click(card_of(desk), custom_id=button(act, correction))
        assert pressed.response.ephemeral
        assert pressed.response.content.startswith("A member may not approve and reject")

    denied = await rows(AuditEvent.objects.filter(action="access.deny").order_by("pk"))
    assert [each.target for each in denied] == [
        "correction.approve",
        "correction.edit",
        "correction.reject",
    ]
    assert await state_of(correction) == State.PROPOSED


async def test_the_second_of_two_reviewers_is_told_who_decided(
    simcord_env, channel, desk, ada, trainers
):
    first, second = trainers
    _, _, correction = await proposed(simcord_env, channel, ada)
    shown = await second.click(card_of(desk), custom_id=button("edit", correction))
    card = card_of(desk)

    await first.click(card, custom_id=button("approve", correction))
    late = await second.submit_modal(shown, {"text0": "At ten."})
    later = await second.click(card, custom_id=button("reject", correction))

    for result in (late, later):
        assert result.response.content.startswith(
            f"Correction #{correction.pk} was put in force by grace already."
        )


async def test_the_buttons_of_a_card_outlive_a_restart(simcord_env, channel, desk, ada, trainer):
    _, _, correction = await proposed(simcord_env, channel, ada)
    shown = await trainer.click(card_of(desk), custom_id=button("edit", correction))

    await simcord_env.restart_bot(TrainerBot())
    await trainer.submit_modal(shown, {"text0": "At ten."})

    assert await state_of(correction) == State.APPROVED


# --- decided elsewhere, or meanwhile ----------------------------------------------------
@database_sync_to_async
def approve(correction: Correction) -> None:
    corrections.approve(
        correction=corrections.get(correction.pk), reviewer=UserFactory(username="boss")
    )


@database_sync_to_async
def edit(correction: Correction, words: str) -> None:
    corrections.edit(correction=corrections.get(correction.pk), better_answer=words, editor=None)


@database_sync_to_async
def reject(correction: Correction) -> None:
    corrections.reject(correction=corrections.get(correction.pk), reviewer=None)


async def test_a_decision_on_the_dashboard_closes_the_card_and_mends_the_answer(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)

    await approve(correction)
    await hear(simcord_env)

    assert card_of(desk).content.endswith("✅ In force, approved by boss")
    assert bots_words(channel)[0].startswith("At nine.\n-# corrected")


async def test_what_was_decided_while_the_bot_was_down_is_done_at_its_start(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    await approve(correction)

    await simcord_env.restart_bot(TrainerBot())
    await simcord_env.settle()

    assert card_of(desk).components == []
    old, _, told = bots_words(channel)
    assert old.startswith("At nine.\n-# corrected")
    assert told.startswith("Thanks, ada")


async def test_words_changed_later_change_the_answer_and_nobody_is_told_again(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    await approve(correction)
    await hear(simcord_env)

    await edit(correction, "At ten.")
    await hear(simcord_env)

    assert bots_words(channel)[0].startswith("At ten.\n-# corrected")
    assert len(bots_words(channel)) == 3


async def test_taken_out_of_force_the_answer_shows_its_old_words_again(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    await approve(correction)
    await hear(simcord_env)

    await reject(correction)
    await hear(simcord_env)

    assert bots_words(channel)[0] == ANSWER


async def test_what_a_trainer_corrects_mends_the_answer_and_tells_nobody(
    simcord_env, channel, ada, trainer
):
    message, _ = await answered(simcord_env, channel, ada)
    await trainer.send(channel, f"!correct {message.id} At nine.")

    await hear(simcord_env)

    assert len(bots_words(channel)) == 2
    assert bots_words(channel)[0].startswith("At nine.\n-# corrected")


async def test_a_long_better_answer_ends_in_a_file(simcord_env, channel, ada, trainer):
    message, _ = await answered(simcord_env, channel, ada)
    words = "\n".join(f"line {number}: " + "x" * 60 for number in range(50))
    shown = await correct_by_form(simcord_env, trainer, channel, message)
    await trainer.submit_modal(shown, {"text0": words})

    await hear(simcord_env)

    mended = next(each for each in channel.history() if each.id == message.id)
    assert mended.content.startswith("line 0: ")
    assert "-# corrected" in mended.content
    assert (await mended.attachments[0].read()).decode() == words


async def correct_by_form(env, member, channel, message):
    await env.bot.tree.sync()
    return await member.context_menu(channel, "Correct this answer", message)


async def test_a_shorter_better_answer_takes_the_further_messages_away(
    simcord_env, channel, ada, trainer
):
    message, answer = await answered(simcord_env, channel, ada)
    further = await simcord_env.bot.get_channel(channel.id).send("part 2")

    @database_sync_to_async
    def in_parts() -> None:
        answer.discord_parts = [further.id]
        answer.save()

    await in_parts()
    await trainer.send(channel, f"!correct {message.id} At nine.")
    await hear(simcord_env)

    ids = [each.id for each in channel.history()]
    assert message.id in ids
    assert further.id not in ids


async def test_a_deleted_answer_stays_deleted_and_the_reporter_is_told(
    simcord_env, channel, desk, ada
):
    message, _, correction = await proposed(simcord_env, channel, ada)
    await message.delete()

    await approve(correction)
    await hear(simcord_env)

    assert message.id not in [each.id for each in channel.history()]
    assert bots_words(channel)[-1].startswith("Thanks, ada")
    assert await database_sync_to_async(cards.to_tell)() == []


async def test_where_the_channel_is_gone_the_reporter_is_told_directly(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    await simcord_env.bot.get_channel(channel.id).delete()

    await approve(correction)
    await hear(simcord_env)

    assert bots_words(ada.user.dm_channel) == [
        f"Thanks, ada: your correction #{correction.pk} is in force."
    ]


async def test_a_reporter_who_takes_no_messages_is_not_tried_for_ever(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    simcord_env.inject_error("POST", "/channels/*/messages", status=403, code=50007, times=None)

    await approve(correction)
    await hear(simcord_env)

    assert await database_sync_to_async(cards.to_tell)() == []


async def test_while_discord_is_in_trouble_it_stays_to_be_done(simcord_env, channel, desk, ada):
    _, _, correction = await proposed(simcord_env, channel, ada)
    simcord_env.inject_error("PATCH", "/channels/*/messages/*", status=500, times=None)
    await approve(correction)
    await hear(simcord_env)
    assert bots_words(channel)[0] == ANSWER

    simcord_env.backend.faults.clear()
    await simcord_env.restart_bot(TrainerBot())
    await simcord_env.settle()

    assert bots_words(channel)[0].startswith("At nine.\n-# corrected")
