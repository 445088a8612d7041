"""Cards in the review channel, and deciding there."""

import pytest
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from dashboard.models import AuditEvent, Correction
from dashboard.services import cards, corrections
from tests.botrunner.talking import ANSWER, answered, bots_words, review_in, rows
from tests.botrunner.teaching.reviewing import button, card_of, hear, proposed, state_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]

State = Correction.State


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
        "Counts: Testers",
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
    assert "…" in card.content
    assert correction.better_answer in (await file.read()).decode()


async def test_the_file_of_a_card_has_the_words_of_now(simcord_env, channel, desk, ada, trainer):
    _, _, correction = await proposed(simcord_env, channel, ada, "old words " * 60)
    await database_sync_to_async(corrections.edit)(
        correction=correction, better_answer="new words " * 60, editor=None
    )

    await hear(simcord_env)

    [file] = card_of(desk).attachments
    words = (await file.read()).decode()
    assert "new words" in words
    assert "old words" not in words


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


async def test_a_channel_that_takes_no_cards_keeps_no_other_guild_waiting(
    simcord_env, channel, desk, ada, monkeypatch
):
    monkeypatch.setattr(cards, "AT_ONCE", 1)
    simcord_env.inject_error(
        "POST", f"/channels/{desk.id}/messages", status=403, code=50013, times=None
    )
    await proposed(simcord_env, channel, ada)
    other = simcord_env.create_guild(name="Others")
    their_desk = other.create_text_channel("corrections")
    await review_in(other, their_desk)
    eve = other.add_member(simcord_env.create_user("eve"))

    await proposed(simcord_env, other.create_text_channel("general"), eve)

    assert "At nine." in card_of(their_desk).content


async def test_a_process_of_other_shards_leaves_it_to_its_own(
    simcord_env, guild, channel, desk, ada
):
    simcord_env.bot.shard_count = 2
    simcord_env.bot.shard_ids = [1 - (guild.id >> 22) % 2]
    await proposed(simcord_env, channel, ada)
    assert desk.history() == []

    simcord_env.bot.shard_ids = [0, 1]
    await hear(simcord_env)

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


async def test_the_form_of_a_correction_that_was_deleted_hands_the_words_back(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    edit = await trainer.click(card_of(desk), custom_id=button("edit", correction))
    reject = await trainer.click(card_of(desk), custom_id=button("reject", correction))
    await database_sync_to_async(correction.delete)()

    edited = await trainer.submit_modal(edit, {"text0": "At ten."})
    rejected = await trainer.submit_modal(reject, {"note": "No longer true."})

    for sent, words in ((edited, "At ten."), (rejected, "No longer true.")):
        assert sent.response.content.startswith("There is no such correction.")
        assert (await sent.followups[0].attachments[0].read()).decode() == words


async def test_the_buttons_of_a_card_outlive_a_restart(simcord_env, channel, desk, ada, trainer):
    _, _, correction = await proposed(simcord_env, channel, ada)
    shown = await trainer.click(card_of(desk), custom_id=button("edit", correction))

    await simcord_env.restart_bot(TrainerBot())
    await trainer.submit_modal(shown, {"text0": "At ten."})

    assert await state_of(correction) == State.APPROVED
