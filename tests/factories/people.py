"""Who signs in, and who and where on Discord."""

import factory
from django.contrib.auth.models import Group, User
from factory.django import DjangoModelFactory

from dashboard.models import DiscordChannel, DiscordGuild, DiscordRole, DiscordUser
from dashboard.services.access import TRAINERS


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")

    class Params:
        admin = factory.Trait(is_superuser=True, is_staff=True)

    @factory.post_generation
    def trainer(self, create: bool, wanted: bool, **kwargs: object) -> None:
        if wanted:
            group, _ = Group.objects.get_or_create(name=TRAINERS)
            self.groups.add(group)


class DiscordUserFactory(DjangoModelFactory[DiscordUser]):
    class Meta:
        model = DiscordUser

    discord_user_id = factory.Sequence(lambda n: 100_000 + n)
    name = factory.Sequence(lambda n: f"reader {n}")


class DiscordGuildFactory(DjangoModelFactory[DiscordGuild]):
    class Meta:
        model = DiscordGuild

    discord_guild_id = factory.Sequence(lambda n: 200_000 + n)
    name = factory.Sequence(lambda n: f"Library {n}")


class DiscordChannelFactory(DjangoModelFactory[DiscordChannel]):
    """A channel of a guild; `direct=True` is one of direct messages."""

    class Meta:
        model = DiscordChannel

    discord_channel_id = factory.Sequence(lambda n: 300_000 + n)
    guild = factory.SubFactory(DiscordGuildFactory)
    name = factory.Sequence(lambda n: f"desk-{n}")
    kind = "text"

    class Params:
        direct = factory.Trait(guild=None, kind="")


class DiscordRoleFactory(DjangoModelFactory[DiscordRole]):
    class Meta:
        model = DiscordRole

    guild = factory.SubFactory(DiscordGuildFactory)
    discord_role_id = factory.Sequence(lambda n: 400_000 + n)
    name = factory.Sequence(lambda n: f"librarian {n}")
