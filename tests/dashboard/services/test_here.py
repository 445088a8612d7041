"""What a person on Discord changes where they are: the model, the persona, their dataset."""

import pytest

from dashboard.models import AuditEvent, DiscordChannel
from dashboard.services import choices, datasets, here, places
from dashboard.services.access import Person, Role
from dashboard.services.here import Here
from tests.factories import DatasetFactory
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db
PERSON = Person(role=Role.ADMIN, name="maya", discord_user_id=7)
GUILD = Here(1, "Testers")
CHANNEL = Here(1, "Testers", 10, "general")
THREAD = Here(1, "Testers", 11, "a talk", parent_id=10, parent_name="general")


def test_a_model_answers_in_its_channel_and_its_threads_alone():
    here.use_model(GUILD, "small", actor=PERSON)
    here.use_model(CHANNEL, "ft:rooms", actor=PERSON)

    rules = places.rules()
    assert rules.place(1, 11, 10).model == "ft:rooms"
    assert rules.place(1, 12).model == "small"
    assert rules.place(2, 10 + 10).model == ""


def test_no_model_is_the_one_that_answers_elsewhere():
    here.use_model(GUILD, "small", actor=PERSON)
    here.use_model(CHANNEL, "ft:rooms", actor=PERSON)

    here.use_model(CHANNEL, "", actor=PERSON)

    assert places.rules().place(1, 10).model == "small"


def test_a_persona_leaves_the_model_as_it_is():
    here.use_model(THREAD, "small", actor=PERSON)

    here.set_persona(THREAD, " You are a pirate. ", actor=PERSON)

    place = places.rules().place(1, 11, 10)
    assert (place.model, place.system_prompt) == ("small", "You are a pirate.")
    thread = DiscordChannel.objects.get(discord_channel_id=11)
    assert thread.parent.discord_channel_id == 10
    event = AuditEvent.objects.latest("pk")
    assert (event.actor_name, event.detail["discord_user_id"]) == ("maya", 7)


@pytest.mark.parametrize("text", ["x" * 8_001, "a\x00b"])
def test_a_persona_that_cannot_be_is_refused(text):
    with pytest.raises(InvalidInput, match="persona"):
        here.set_persona(GUILD, text, actor=PERSON)


def chosen(channel_id: int, guild_id: int | None = 1, user: int = 7) -> str | None:
    found = choices.chosen(discord_user_id=user, guild_id=guild_id, channel_id=channel_id)
    return found.dataset.name if found else None


@pytest.mark.origin(18)
def test_a_dataset_is_chosen_by_one_person_for_a_channel_and_else_for_the_guild():
    rooms, shops = DatasetFactory(name="rooms"), DatasetFactory(name="shops")
    choices.choose(rooms, who=PERSON, guild_id=1, channel_id=10)
    choices.choose(shops, who=PERSON, guild_id=1, channel_id=12, positive=False)

    assert (chosen(10), chosen(12), chosen(13)) == ("rooms", "shops", "shops")
    assert (chosen(10, user=8), chosen(20, guild_id=2), chosen(10, guild_id=None)) == (
        None,
        None,
        "rooms",
    )


def test_a_choice_is_changed_and_ends_with_its_dataset():
    rooms, shops = DatasetFactory(name="rooms"), DatasetFactory(name="shops")
    choices.choose(rooms, who=PERSON, guild_id=1, channel_id=10)
    choices.choose(shops, who=PERSON, guild_id=1, channel_id=10)
    assert chosen(10) == "shops"

    datasets.archive(shops, actor=None)

    assert chosen(10) is None
