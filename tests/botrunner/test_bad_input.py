"""Whatever people write behind the commands about data and training: one safe reply to each."""

import pytest

from botrunner.intake import Patience
from tests.botrunner.roles import add_member

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30),
    pytest.mark.origin(14),
]
COMMANDS = ("archive", "select_dataset", "getfile", "import", "train", "test", "status", "use")
ODD = (
    '"',
    "```",
    "{[}]",
    "🎉" * 900,
    "\u202egnirts a ton si siht",
    "\u200b",
    "@everyone <@123456789012345678>",
    "../../etc/passwd\x00",
    "'; DROP TABLE dashboard_dataset; --",
    "positive=positive=positive",
)


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.mark.parametrize("command", COMMANDS)
async def test_any_words_get_one_safe_reply(simcord_env, channel, model, command):
    adam = await add_member(simcord_env, channel.guild, "adam", grants="admin")
    # There is no worker here, and nobody waits for one.
    simcord_env.bot.get_cog("Training").patience = Patience(0.01, give_up_after_s=0.05)

    for words in ODD:
        before = len(said(channel))
        await adam.send(channel, f"!{command} {words}")

        [reply] = said(channel)[before:]
        assert reply.content.strip(), words
        for never in ("Traceback", "Error:", "/tmp", "sqlite", "@everyone", "\u202e"):
            assert never not in reply.content, (words, reply.content)
        assert reply.mentions == []
        assert not reply.mention_everyone
    # Those that cogs/errors answered; looking at them is how simcord takes note.
    assert len(simcord_env.errors) <= len(ODD)


def said(channel) -> list:
    return [message for message in channel.history() if message.author.bot]
