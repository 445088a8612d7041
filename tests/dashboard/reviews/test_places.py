"""Where a correction counts, and who may carry it elsewhere."""

import pytest

from dashboard.models import Correction
from dashboard.services import corrections
from dashboard.services.access import Person, Role
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordTalkFactory,
    GuildSettingsFactory,
    UserFactory,
)
from trainerbot.errors import InvalidInput, NotAllowed

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel():
    return DiscordChannelFactory()


@pytest.fixture
def said(channel):
    """An answer that was given on a server."""
    return AnswerFactory(conversation=DiscordTalkFactory(discord_channel=channel))


@pytest.fixture
def grace():
    return UserFactory(trainer=True)


def test_what_is_corrected_on_a_server_counts_there(said, channel, grace):
    on_discord = Person(role=Role.TRAINER, name="ada", discord_user_id=77)

    for author in (on_discord, grace):
        made = corrections.propose_for(message=said, better_answer="At nine.", author=author)
        assert made.guild == channel.guild


def test_what_is_corrected_in_the_playground_counts_everywhere(grace):
    made = corrections.propose_for(message=AnswerFactory(), better_answer="At nine.", author=grace)

    assert (made.guild, made.channel) == (None, None)


@pytest.mark.parametrize("where", ["everywhere", "elsewhere"])
def test_only_an_admin_carries_it_off_its_server(said, grace, where):
    guild = DiscordGuildFactory() if where == "elsewhere" else None
    made = corrections.propose_for(message=said, better_answer="At nine.", author=grace)

    with pytest.raises(NotAllowed, match="only by an admin"):
        corrections.move(correction=made, guild=guild, editor=grace)
    with pytest.raises(NotAllowed, match="only by an admin"):
        corrections.propose_for(
            message=said, better_answer="At ten.", author=grace, place=(guild, None)
        )
    corrections.move(correction=made, guild=guild, editor=UserFactory(admin=True))

    assert made.guild == guild


def test_a_trainer_narrows_it_and_widens_it_again_within_its_server(said, channel, grace):
    made = corrections.propose_for(message=said, better_answer="At nine.", author=grace)

    corrections.move(correction=made, channel=channel, editor=grace)
    assert (made.guild, made.channel) == (channel.guild, channel)
    corrections.move(correction=made, guild=channel.guild, editor=grace)
    assert (made.guild, made.channel) == (channel.guild, None)


def test_where_two_must_approve_a_wider_place_waits_for_the_other(channel):
    guild = channel.guild
    GuildSettingsFactory(guild=guild, reviewers_needed=2)
    made = CorrectionFactory(approved=True, guild=guild, channel=channel)

    corrections.move(correction=made, guild=guild, editor=UserFactory(trainer=True))
    assert made.state == Correction.State.PROPOSED

    corrections.move(correction=made, channel=channel, editor=UserFactory(trainer=True))
    assert corrections.tally(made).approving == ()


def test_a_channel_of_another_server_or_of_nobody_is_no_place(channel, grace):
    made = CorrectionFactory()
    with pytest.raises(InvalidInput, match="another server"):
        corrections.move(
            correction=made, guild=DiscordGuildFactory(), channel=channel, editor=grace
        )
    with pytest.raises(InvalidInput, match="Direct messages"):
        corrections.move(correction=made, channel=DiscordChannelFactory(direct=True), editor=grace)


def test_members_see_no_servers_among_the_places(channel):
    assert [name for _, name, _ in corrections.places_for(UserFactory())] == ["Everywhere"]


def test_the_places_of_what_belongs_to_a_server_are_its_own(channel, grace):
    DiscordGuildFactory()

    [(_, name, channels)] = corrections.places_for(grace, belongs_to=channel.guild)

    assert (name, channels) == (channel.guild.name, [(f"channel-{channel.pk}", f"#{channel.name}")])
