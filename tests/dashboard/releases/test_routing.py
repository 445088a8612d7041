"""Which release somebody gets who asks for an alias."""

import pytest

from dashboard.models import Alias, AssistantSettings, PlaceSettings
from dashboard.services import assistant, places, releases, routing
from tests.factories import AliasFactory, DiscordGuildFactory, GuildSettingsFactory, ReleaseFactory
from trainerbot.errors import InvalidInput, ProviderUnavailable

pytestmark = pytest.mark.django_db
PEOPLE = [f"discord:{number}" for number in range(1_000)]


def place(model: str) -> places.Place:
    return places.Rules(everywhere=AssistantSettings(model=model, system_prompt="Be brief.")).place(
        None
    )


def asked(alias: Alias, who: str = "discord:1") -> places.Place:
    alias = Alias.objects.select_related("stable", "canary").get(pk=alias.pk)
    return routing.route(place(str(alias)), aliases={alias.name: alias}, who=who)


def test_a_place_that_names_a_model_is_left_as_it_is():
    for model in ("small", "", "@cf/meta/llama-3"):
        assert routing.route(place(model), aliases={}, who="discord:1") == place(model)


def test_an_alias_is_answered_by_what_was_promoted_under_it():
    alias = AliasFactory(answered_by="small")

    assert asked(alias).model == "small"
    assert asked(alias).release_id == alias.stable_id


def test_what_a_release_leaves_empty_is_as_the_place_has_it():
    alias = AliasFactory()
    alias.stable = ReleaseFactory(alias=alias, temperature=0.0, max_tokens=9)
    alias.save()

    found = asked(alias)

    assert (found.system_prompt, found.temperature, found.max_tokens) == ("Be brief.", 0.0, 9)


def test_a_canary_answers_about_its_share_and_always_the_same_people():
    alias = AliasFactory(answered_by="small")
    canary = ReleaseFactory(alias=alias, model="large")
    releases.start_canary(canary, percent=10, actor=None)

    first = {who for who in PEOPLE if asked(alias, who).model == "large"}
    releases.start_canary(canary, percent=30, actor=None)
    second = {who for who in PEOPLE if asked(alias, who).model == "large"}

    assert 70 <= len(first) <= 130
    assert 250 <= len(second) <= 350
    assert first < second


def test_other_people_try_things_under_another_name():
    shares = {of: [routing.share(of, who) < 10 for who in PEOPLE] for of in (1, 2)}

    assert shares[1] != shares[2]


@pytest.mark.parametrize("exists", [True, False])
def test_a_name_under_which_nothing_answers_is_told_in_words(exists):
    aliases = {"support": AliasFactory(name="support")} if exists else {}

    with pytest.raises(ProviderUnavailable, match="Nothing answers under the name @support yet"):
        routing.route(place("@support"), aliases=aliases, who="discord:1")


def test_no_place_can_choose_a_name_under_which_nothing_answers():
    AliasFactory(name="support")

    with pytest.raises(InvalidInput, match="Nothing answers under the name @support"):
        assistant.use_model("@support", actor=None)
    with pytest.raises(InvalidInput, match="Nothing answers under the name @support"):
        places.save_place(PlaceSettings(guild=DiscordGuildFactory(), model="@support"), actor=None)


def test_a_budget_does_not_fall_back_to_a_name():
    row = GuildSettingsFactory.build(guild=DiscordGuildFactory(), saving_model="@support")

    with pytest.raises(InvalidInput, match="not a name"):
        places.save_guild(row, actor=None)


def test_a_promotion_counts_in_the_rules_at_once():
    alias = AliasFactory(answered_by="small")
    assistant.use_model(str(alias), actor=None)
    assert places.rules().aliases[alias.name].stable.model == "small"

    releases.promote(ReleaseFactory(alias=alias, model="large"), actor=None)

    assert places.rules().aliases[alias.name].stable.model == "large"
