"""The old answer in its new words, and the word to the reporter."""

import pytest
from channels.db import database_sync_to_async

from botrunner.bot import TrainerBot
from dashboard.models import Correction
from dashboard.services import cards, corrections
from tests.botrunner.talking import ANSWER, answered, bots_words
from tests.botrunner.teaching.reviewing import card_of, hear, proposed
from tests.factories import UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


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


async def test_an_answer_that_goes_on_in_a_thread_is_mended_there_too(
    simcord_env, channel, ada, trainer
):
    message, answer = await answered(simcord_env, channel, ada)
    here = simcord_env.bot.get_channel(channel.id).get_partial_message(message.id)
    thread = await here.create_thread(name="The whole answer")
    rest = [await thread.send("part 2"), await thread.send("part 3")]

    @database_sync_to_async
    def in_parts() -> None:
        answer.discord_parts = [each.id for each in rest]
        answer.save()

    await in_parts()
    words = "\n".join(f"line {number}: " + "x" * 60 for number in range(40))
    shown = await correct_by_form(simcord_env, trainer, channel, message)
    await trainer.submit_modal(shown, {"text0": words})
    await hear(simcord_env)

    inside = next(each for each in channel.threads if each.id == thread.id)
    said = {each.id: each.content for each in [*channel.history(), *inside.history()]}
    assert said[message.id].startswith("line 0: ")
    assert "-# corrected" in said[rest[0].id]
    assert rest[1].id not in said


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
