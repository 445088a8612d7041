"""What came of a correction, posted as a picture by those who review."""

import pytest

from dashboard.models import AuditEvent, Correction
from tests.botrunner.talking import bots_words, rows
from tests.botrunner.teaching.reviewing import proposed
from tests.trainerbot.pictures.png import pixels

# A refusal is an error of its command, so simcord shall not count errors.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30, check_errors=False),
]


async def picture_in(channel) -> bytes:
    [message] = [each for each in channel.history() if each.author.bot and each.attachments]
    return await message.attachments[0].read()


async def test_a_trainer_posts_the_picture_of_a_correction(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)
    await Correction.objects.filter(pk=correction.pk).aupdate(state="approved", n_fired=3)

    await trainer.send(desk, f"!proof {correction.pk}")

    assert f"**Taught once, given 3 times** · correction #{correction.pk}" in bots_words(desk)[-1]
    assert pixels(await picture_in(desk)).shape == (630, 1200, 3)


async def test_somebodys_question_is_shown_only_where_its_card_was(
    simcord_env, channel, desk, ada, trainer
):
    _, _, correction = await proposed(simcord_env, channel, ada)

    await trainer.send(desk, f"!proof {correction.pk}")
    await trainer.send(channel, f"!proof {correction.pk}")

    shown, hidden = await picture_in(desk), await picture_in(channel)
    assert (pixels(shown) != pixels(hidden)).any()


async def test_a_member_may_not_and_it_is_noted(simcord_env, channel, desk, ada):
    _, _, correction = await proposed(simcord_env, channel, ada)

    await ada.send(channel, f"!proof {correction.pk}")

    assert "may not" in bots_words(channel)[-1]
    assert await rows(AuditEvent.objects.filter(action="access.deny"))


async def test_a_correction_of_another_server_is_not_there(
    simcord_env, channel, desk, ada, trainer
):
    other = simcord_env.create_guild(name="Others")
    eve = other.add_member(simcord_env.create_user("eve"))
    _, _, correction = await proposed(simcord_env, other.create_text_channel("general"), eve)

    await trainer.send(channel, f"!proof {correction.pk}")
    await trainer.send(channel, "!proof 999999")

    first, second = bots_words(channel)[-2:]
    assert "no such correction" in first.lower()
    assert "no such correction" in second.lower()
