"""A model that is soon switched off: who is warned of what, and when."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import Retirement, Task
from dashboard.services import assistant, providers, releases, retirements, tasks
from dashboard.services.retirements import days, telling
from tests.factories import (
    AliasFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    FineTuneJobFactory,
    GuildSettingsFactory,
    PlaceSettingsFactory,
    TaskFactory,
)
from tests.fakes.openai_endpoint import FakeOpenAI
from trainerbot.endpoints import ModelInfo

pytestmark = pytest.mark.django_db


def goes(model: str, *, in_days: int) -> Retirement:
    day = now().date() + timedelta(days=in_days)
    return Retirement.objects.create(
        endpoint=providers.endpoint().name, model=model, day=day, seen_at=now()
    )


def only():
    (found,) = retirements.warned()
    return found


def test_a_model_that_nothing_needs_is_not_spoken_of():
    goes("small", in_days=3)

    assert retirements.warned() == []


def test_a_model_with_more_than_90_days_is_not_spoken_of_yet():
    goes("small", in_days=91)
    assistant.use_model("small", actor=None)

    assert retirements.warned() == []


@pytest.mark.parametrize(
    ("left", "level"), [(90, "info"), (31, "info"), (30, "warning"), (8, "warning"), (7, "error"), (-2, "error")]
)  # fmt: skip
def test_it_becomes_more_urgent_as_the_day_comes_near(left, level):
    goes("small", in_days=left)
    assistant.use_model("small", actor=None)

    assert only().level == level


def test_all_that_needs_it_is_named_in_words():
    goes("small", in_days=20)
    guild = DiscordGuildFactory(name="Library")
    PlaceSettingsFactory(guild=guild, model="small")
    channel = DiscordChannelFactory(guild=guild, name="help")
    PlaceSettingsFactory(guild=guild, channel=channel, model="@support")
    GuildSettingsFactory(guild=DiscordGuildFactory(name="Shop"), saving_model="small")
    AliasFactory(name="support", answered_by="small")
    FineTuneJobFactory(base_model="small", version__dataset__name="Rooms")
    FineTuneJobFactory(succeeded=True, base_model="small", fine_tuned_model="ft:small:a")

    told = " ".join(only().lines)

    assert "It answers under @support, asked for by #help on Library." in told
    assert "It answers on Library." in told
    assert "It answers on Shop where a budget runs out." in told
    assert "trains on Rooms." in told
    assert "Tuned from it, and gone with it: ft:small:a." in told


def test_a_tuned_model_goes_with_its_base_model():
    goes("small", in_days=20)
    FineTuneJobFactory(succeeded=True, base_model="small", fine_tuned_model="ft:small:a")
    assistant.use_model("ft:small:a", actor=None)

    found = only()

    assert found.model == "small"
    assert found.lines == ("ft:small:a, tuned from it, answers everywhere, as Settings say.",)


def test_a_tuned_model_with_a_day_of_its_own_has_that_one():
    goes("small", in_days=5)
    goes("ft:small:a", in_days=50)
    FineTuneJobFactory(succeeded=True, base_model="small", fine_tuned_model="ft:small:a")
    assistant.use_model("ft:small:a", actor=None)

    assert only().days_left == 50


def test_what_openai_announced_counts_without_its_telling(settings):
    settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = "", "sk-x"
    assistant.use_model("ft:gpt-4.1-mini-2025-04-14:acme::a1", actor=None)
    last = retirements.Days().of("ft:gpt-4.1-mini-2025-04-14:acme::a1")

    assert str(last.day) == "2027-01-14"
    assert last.root == "gpt-4.1-mini-2025-04-14"


def test_what_may_be_rolled_back_to_is_named():
    alias = AliasFactory(name="support")
    releases.promote(releases.draft(alias, model="small"), actor=None)
    releases.promote(releases.draft(alias, model="large"), actor=None)
    goes("small", in_days=20)

    assert only().lines == ("It is what @support can be rolled back to.",)


def test_a_server_hears_of_its_own_places_alone():
    goes("small", in_days=20)
    here, there = DiscordGuildFactory(name="Here"), DiscordGuildFactory(name="There")
    PlaceSettingsFactory(guild=here, model="small")

    assert [each.model for each in retirements.warned(guild_id=here.pk)] == ["small"]
    assert retirements.warned(guild_id=there.pk) == []


def test_who_reviews_is_told_once_at_each_step_and_not_of_other_servers():
    goes("small", in_days=20)
    for name in ("Here", "There"):
        guild = DiscordGuildFactory(name=name)
        channel = DiscordChannelFactory(guild=guild, name="review")
        GuildSettingsFactory(guild=guild, review_channel=channel)
        PlaceSettingsFactory(guild=guild, model="@support")
    AliasFactory(name="support", answered_by="small")

    assert telling.tell() == 2
    assert telling.tell() == 0
    texts = [task.args["text"] for task in Task.objects.filter(kind="bot.say")]
    assert all("switches small off" in text for text in texts)
    assert not any("There" in text or "Here" in text for text in texts)
    Retirement.objects.update(day=now().date() + timedelta(days=7))
    assert telling.tell() == 2


def test_a_server_that_it_does_not_concern_is_not_told():
    goes("small", in_days=20)
    guild = DiscordGuildFactory()
    GuildSettingsFactory(guild=guild, review_channel=DiscordChannelFactory(guild=guild))
    PlaceSettingsFactory(guild=DiscordGuildFactory(), model="small")

    assert telling.tell() == 0


def test_what_an_endpoint_told_is_kept_changed_and_withdrawn():
    def listed(*rows: tuple[str, str | None]) -> bool:
        infos = [
            ModelInfo(id=id_, owned_by="", details={"shutdown_date": day}) for id_, day in rows
        ]
        return days.keep("there", infos)

    assert listed(("a", "2027-01-01"), ("b", "2027-01-02"), ("c", None))
    assert not listed(("a", "2027-01-01"), ("b", "2027-01-02"))
    assert listed(("a", "2027-03-01"), ("c", None))
    assert listed(("b", None))

    kept = dict(Retirement.objects.values_list("model", "day"))
    assert {model: str(day) for model, day in kept.items()} == {"a": "2027-03-01"}


def looked(**default: str) -> None:
    """The worker has seen which models the endpoints let answer where none is chosen."""
    TaskFactory(kind="retirements", checkpoint={"own_choices": default} if default else {})


def test_the_endpoints_own_choice_is_warned_of_where_nothing_is_chosen():
    goes("small", in_days=20)
    looked(modelserver="small")
    looked()  # a look that has not begun, or found the endpoint silent

    assert only().lines == (
        "It answers everywhere, as the endpoint's own choice; when it is gone, another one will, "
        "tested or not.",
    )


def test_the_endpoints_own_choice_needs_no_warning_where_another_model_is_chosen():
    goes("small", in_days=20)
    looked(modelserver="small")
    assistant.use_model("large", actor=None)

    assert retirements.warned() == []


@pytest.mark.django_db(transaction=True)
def test_the_worker_asks_each_endpoint_and_waits_for_one_that_is_silent(settings):
    settings.MODELSERVER_URL = "http://127.0.0.1:9/v1"
    with FakeOpenAI(keeps_alive=False) as fake:
        fake.models[0]["shutdown_date"] = "2027-01-14"
        settings.OPENAI_BASE_URL, settings.OPENAI_API_KEY = (
            fake.base_url,
            "sk-test-0123456789abcdef",
        )
        telling.look_later()
        telling.look_later()
        assert tasks.run_next("worker")

        assert days.own_choice() == "large"
    assert Retirement.objects.get().model == "small"
    task = Task.objects.get(kind="retirements")
    assert task.state == Task.State.READY
