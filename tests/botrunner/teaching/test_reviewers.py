"""Several reviewers on Discord: votes on the card, and cards that follow what changes."""

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Correction, DiscordRole, GuildSettings
from dashboard.services import corrections, places
from tests.botrunner.talking import ANSWER, bots_words, rows
from tests.botrunner.teaching.reviewing import button, card_of, hear, proposed, state_of
from tests.factories import CorrectionFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]

State = Correction.State


@database_sync_to_async
def want_reviewers(guild, n: int) -> None:
    settings = GuildSettings.objects.get(guild__discord_guild_id=guild.id)
    settings.reviewers_needed = n
    places.save_guild(settings, actor=None)


@database_sync_to_async
def make_trainer():
    return UserFactory(trainer=True)


def labels(card) -> list[str]:
    return [child.label for row in card.components for child in row.children]


async def test_the_card_counts_votes_and_the_last_one_puts_it_in_force(
    simcord_env, guild, channel, desk, ada, trainers
):
    await want_reviewers(guild, 2)
    _, _, correction = await proposed(simcord_env, channel, ada)
    assert labels(card_of(desk)) == ["Approve (0/2)", "Edit & approve", "Reject (0/2)"]

    first = await trainers[0].click(card_of(desk), custom_id=button("approve", correction))
    await hear(simcord_env)
    assert first.response.content == (
        f"Your vote on correction #{correction.pk} counts: 1 of 2 approved."
    )
    assert labels(card_of(desk))[0] == "Approve (1/2)"
    assert card_of(desk).content.endswith("1 of 2 approved (✅ grace)")
    again = await trainers[0].click(card_of(desk), custom_id=button("approve", correction))
    assert "your vote already" in again.response.content

    await trainers[1].click(card_of(desk), custom_id=button("approve", correction))
    await hear(simcord_env)

    assert await state_of(correction) == State.APPROVED
    assert card_of(desk).components == []


async def test_a_disagreement_stands_on_the_card_until_an_admin_decides(
    simcord_env, guild, channel, desk, ada, trainers
):
    await want_reviewers(guild, 2)
    _, _, correction = await proposed(simcord_env, channel, ada)
    await trainers[0].click(card_of(desk), custom_id=button("approve", correction))
    shown = await trainers[1].click(card_of(desk), custom_id=button("reject", correction))
    await trainers[1].submit_modal(shown, {"note": "Not true."})
    await hear(simcord_env)
    assert "Disagreement: 1 for it, 1 against: an admin decides" in card_of(desk).content

    await database_sync_to_async(DiscordRole.objects.update)(grants="admin")
    await database_sync_to_async(places.forget)()
    await trainers[0].click(card_of(desk), custom_id=button("approve", correction))
    await hear(simcord_env)

    assert await state_of(correction) == State.APPROVED


async def test_a_card_that_shows_older_words_decides_nothing(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    seen = button("approve", correction)
    card = card_of(desk)
    form = await trainer.click(card, custom_id=button("edit", correction))
    await database_sync_to_async(corrections.edit)(
        correction=correction, better_answer="At noon.", editor=await make_trainer()
    )

    pressed = await trainer.click(card, custom_id=seen)
    sent = await trainer.submit_modal(form, {"text0": "At ten."})
    await hear(simcord_env)

    assert "meanwhile. Look at it again." in pressed.response.content
    assert "meanwhile. Look at it again." in sent.response.content
    assert await state_of(correction) == State.PROPOSED
    assert "> At noon." in card_of(desk).content
    await trainer.click(card_of(desk), custom_id=button("approve", correction))
    assert await state_of(correction) == State.APPROVED


async def test_an_approval_taken_back_opens_the_card_again_and_the_old_answer_stands(
    simcord_env, channel, desk, ada
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    reviewer = await make_trainer()
    await database_sync_to_async(corrections.approve)(correction=correction, reviewer=reviewer)
    await hear(simcord_env)
    assert card_of(desk).components == []
    assert bots_words(channel)[0].startswith("At nine.")

    await database_sync_to_async(corrections.undo)(user=reviewer)
    await hear(simcord_env)

    assert labels(card_of(desk)) == ["Approve", "Edit & approve", "Reject"]
    assert bots_words(channel)[0] == ANSWER


async def test_the_card_tells_in_a_line_what_it_contradicts(simcord_env, channel, desk, ada):
    other = await database_sync_to_async(CorrectionFactory)(
        approved=True, question="When does the library open?", better_answer="At eight."
    )

    await proposed(simcord_env, channel, ada)

    assert f"⚠️ Contradicts #{other.pk}." in card_of(desk).content


async def test_what_counts_on_a_server_is_reviewed_there_though_taught_on_the_dashboard(
    simcord_env, guild, channel, desk, ada
):
    row = await database_sync_to_async(places.guild)(guild.id)
    await database_sync_to_async(corrections.propose)(
        question="Who has the key?",
        better_answer="Maya.",
        author=await database_sync_to_async(UserFactory)(),
        guild=row,
    )

    await hear(simcord_env)

    assert "> Maya." in card_of(desk).content
    assert (await rows(Correction.objects.all()))[0].card_is_open


async def test_both_forms_name_the_place(simcord_env, channel, desk, ada, trainer, synced):
    message, _, correction = await proposed(simcord_env, channel, ada)

    correcting = await ada.context_menu(channel, "Correct this answer", message)
    editing = await trainer.click(card_of(desk), custom_id=button("edit", correction))

    assert correcting.modal["components"][0]["description"].startswith("Counts on Testers.")
    assert editing.modal["components"][0]["description"] == "Counts: Testers"
