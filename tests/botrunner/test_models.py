"""`!models`, `!use`, `!persona`, `!status` and `!jobs`: what they show and whom they obey."""

from datetime import UTC, datetime

import pytest
from channels.db import database_sync_to_async

from dashboard.models import Access, DiscordChannel, FineTuneEvent, LegacyJob, PlaceSettings
from dashboard.services import assistant, places, providers, releases, suites
from tests.botrunner.roles import add_member
from tests.factories import (
    AliasFactory,
    CorrectionFactory,
    FineTuneJobFactory,
    LabelledVersionFactory,
    SuiteRunFactory,
)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30),
]


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
async def eve(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "eve")


@pytest.fixture
async def tess(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "tess", grants="trainer")


@pytest.fixture
async def adam(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "adam", grants="admin")


@pytest.fixture
def tuned(model):
    model.models = [
        {"id": "small", "object": "model", "created": 1, "owned_by": "fake"},
        {"id": "ft:small:rooms", "object": "model", "created": 2, "owned_by": "fake"},
    ]
    return model


def last(channel):
    return [m for m in channel.history() if m.author.bot][-1]


def first_line(channel) -> str:
    return last(channel).content.splitlines()[0]


@database_sync_to_async
def a_job(**fields):
    return FineTuneJobFactory(**fields)


# --- models and use ------------------------------------------------------------------------
async def test_models_are_listed_tuned_ones_first_with_the_one_that_answers(channel, eve, tuned):
    await a_job(succeeded=True, fine_tuned_model="ft:small:rooms", version__dataset__name="rooms")

    await eve.send(channel, "!models")

    assert last(channel).content.splitlines() == [
        "Models, tuned ones first:",
        "• `ft:small:rooms` · learnt rooms v1",
        "• `small` ← answers here",
    ]


@pytest.mark.origin(30)
async def test_a_tuned_model_answers_here_and_goes_back(simcord_env, channel, eve, adam, tuned):
    me = simcord_env.bot.user.mention
    await adam.send(channel, "!use FT:small:rooms")
    assert (
        last(channel).content
        == "`ft:small:rooms` answers in this channel from the next message on."
    )
    await eve.send(channel, f"{me} hello")

    await adam.send(channel, "!use default")
    await eve.send(channel, f"{me} hello again")

    assert [chat["model"] for chat in tuned.chats] == ["ft:small:rooms", "small"]


@pytest.mark.parametrize("words", ["small everywhere", "small everywhere:true"])
async def test_a_model_answers_everywhere_on_the_server(channel, adam, tuned, words):
    await adam.send(channel, f"!use {words}")

    row = await PlaceSettings.objects.select_related("guild").aget()
    assert (row.model, row.channel_id, row.guild.discord_guild_id) == (
        "small",
        None,
        channel.guild.id,
    )


async def test_an_unknown_model_is_refused_with_near_names(channel, adam, tuned):
    await adam.send(channel, "!use ft:smal:room")

    assert first_line(channel) == (
        "The endpoint has no model ft:smal:room. Did you mean `ft:small:rooms`? `!models` lists them."
    )
    assert not await PlaceSettings.objects.aexists()


async def test_a_trainer_may_not_choose_the_model(simcord_env, channel, tess, tuned):
    await tess.send(channel, "!use small")

    assert last(channel).content.startswith("A trainer may not change how the bot answers.")
    assert len(simcord_env.errors) == 1


async def test_models_are_offered_to_admins_while_they_type(channel, adam, tess, tuned):
    offered = await adam.autocomplete(channel, "use", "model", "rooms")

    assert [each["value"] for each in offered] == ["ft:small:rooms"]
    assert await tess.autocomplete(channel, "use", "model", "rooms") == []


async def test_an_endpoint_that_is_away_is_said_in_words(channel, eve, model):
    model.failures = [(500, {"error": {"message": "secret"}})] * 5

    await eve.send(channel, "!models")

    assert "secret" not in last(channel).content
    assert first_line(channel).endswith(".")


# --- persona -------------------------------------------------------------------------------
async def test_a_persona_is_shown_set_and_cleared(channel, eve, adam, model):
    await adam.send(channel, "!persona You are a pirate.")
    assert last(channel).content.startswith("The persona in this channel from the next message on:")
    await eve.send(channel, "!persona")
    assert last(channel).content == "The persona here:\n```\nYou are a pirate.\n```"

    await adam.send(channel, "!persona clear")

    place = (await database_sync_to_async(places.rules)()).place(channel.guild.id, channel.id)
    assert "pirate" not in place.system_prompt


async def test_others_may_see_a_persona_and_not_change_it(channel, eve, model):
    await eve.send(channel, "!persona You are a pirate.")

    assert last(channel).content.startswith("A member may not change how the bot answers.")
    assert not await PlaceSettings.objects.aexists()


# --- status and jobs -----------------------------------------------------------------------
@pytest.mark.origin(27)
async def test_the_latest_job_is_shown_or_the_one_that_is_named(channel, tess):
    older = await a_job(succeeded=True, remote_job_id="ftjob-old", fine_tuned_model="ft:old")
    job = await a_job(running=True, remote_job_id="ftjob-new", version__dataset__name="rooms")
    await FineTuneEvent.objects.acreate(
        job=job, remote_event_id="1", level="info", type="metrics", message="Step 3/4",
        data={"step": 3, "total_steps": 4, "valid_loss": 0.5},
    )  # fmt: skip
    await FineTuneEvent.objects.acreate(
        job=job, remote_event_id="2", level="info", type="message", message="Going @everyone well"
    )

    await tess.send(channel, "!status")
    newest = last(channel).content
    await tess.send(channel, "!status ftjob-old")
    named = last(channel).content
    await tess.send(channel, f"!status #{older.pk}")

    assert newest.splitlines()[0] == "Model training started. Job ID: ftjob-new"
    assert "running · step 3 of 4 · held-out loss 0.5" in newest
    assert "Going @\u200beveryone well" in newest
    assert "Done. The new model is `ft:old`." in named
    assert last(channel).content == named


@pytest.mark.parametrize("name", ["ftjob-none", "99", "9" * 40, "../1"])
async def test_a_job_that_is_none_is_said_in_words(channel, tess, name):
    await tess.send(channel, f"!status {name}")

    assert first_line(channel) == "There is no such job. `!jobs` lists them."


async def test_without_any_job_it_says_so(channel, tess):
    await tess.send(channel, "!status")
    assert first_line(channel) == "No model was trained yet."

    await tess.send(channel, "!jobs")
    assert last(channel).content == "No model was trained yet. `!train` does it."


@pytest.mark.origin(32)
async def test_jobs_are_turned_page_by_page_down_to_those_of_the_original_bot(channel, tess):
    version = await database_sync_to_async(LabelledVersionFactory)()
    for n in range(12):
        await a_job(succeeded=True, version=version, remote_job_id=f"ftjob-{n}")
    await LegacyJob.objects.acreate(
        remote_job_id="ftjob-legacy", description="first try",
        created_at=datetime(2023, 5, 1, tzinfo=UTC), source_filename="job_ids.json",
    )  # fmt: skip

    await tess.send(channel, "!jobs")
    shown = last(channel)
    first = shown.content
    await tess.click(shown, label="Older")
    second = last(channel).content
    await tess.click(shown, label="Older")
    legacy = last(channel).content
    await tess.click(shown, label="Newer")

    assert [f"`ftjob-{n}`" in first for n in (11, 2, 1)] == [True, True, False]
    assert [f"`ftjob-{n}`" in second for n in (2, 1, 0)] == [False, True, True]
    assert legacy.splitlines()[1].startswith("`ftjob-legacy` first try")
    assert "`ftjob-0`" in last(channel).content


async def test_buttons_of_before_a_restart_turn_pages_for_those_who_may(
    simcord_env, channel, tess, eve
):
    version = await database_sync_to_async(LabelledVersionFactory)()
    for n in range(11):
        await a_job(succeeded=True, version=version, remote_job_id=f"ftjob-{n}")
    await tess.send(channel, "!jobs")
    shown = last(channel)
    before = shown.content

    result = await eve.click(shown, label="Older")

    assert "may not see everybody's" in result.response.content
    assert last(channel).content == before


async def test_members_do_not_see_jobs(simcord_env, channel, eve):
    await eve.send(channel, "!jobs")

    assert last(channel).content.startswith("A member may not see everybody's")
    assert len(simcord_env.errors) == 1


async def test_jobs_are_offered_while_somebody_types(channel, tess, eve):
    await a_job(running=True, remote_job_id="ftjob-7", version__dataset__name="rooms")

    offered = await tess.autocomplete(channel, "status", "job", "rooms")

    assert [each["value"] for each in offered] == ["ftjob-7"]
    assert await eve.autocomplete(channel, "status", "job", "") == []


async def test_a_name_can_be_used_like_a_model_and_what_answers_under_it_is_shown(
    simcord_env, channel, adam, tuned
):
    await database_sync_to_async(AliasFactory)(name="support", answered_by="ft:small:rooms")

    await adam.send(channel, "!use @support")
    said = first_line(channel)
    await adam.send(channel, "!models")

    assert said == "`@support` answers in this channel from the next message on."
    assert "`ft:small:rooms` ← answers here" in last(channel).content


async def test_a_persona_that_a_release_brings_is_said_to_be_its(channel, adam, model):
    @database_sync_to_async
    def released() -> None:
        alias = AliasFactory(name="support")
        release = releases.draft(alias, model="small", system_prompt="You are the library.")
        releases.promote(release, actor=None)
        assistant.use_model("@support", actor=None)

    await released()

    await adam.send(channel, "!persona")
    shown = last(channel).content
    await adam.send(channel, "!persona You are a pirate.")
    told = last(channel).content

    assert shown.startswith("The persona here, which belongs to what answers under `@support`:")
    assert "You are the library." in shown
    assert told.startswith("The persona in this channel is set, but another one counts, which")


async def test_whoever_may_not_ask_hears_nothing_of_a_name_without_a_release(
    simcord_env, channel, eve, model
):
    @database_sync_to_async
    def closed() -> None:
        AliasFactory(name="ghost")
        place = DiscordChannel.objects.get(discord_channel_id=channel.id)
        PlaceSettings.objects.create(guild=place.guild, channel=place, model="@ghost")
        places.save_access(place, access=Access.DENY, actor=None)

    await closed()
    await eve.send(channel, f"{simcord_env.bot.user.mention} Hello?")

    assert last(channel).content.startswith(places.NOT_HERE)


async def test_a_model_whose_tests_object_is_chosen_on_the_dashboard_with_a_reason(
    channel, adam, model
):
    @database_sync_to_async
    def failed() -> None:
        CorrectionFactory(approved=True)
        for with_recall in (True, False):
            SuiteRunFactory(
                version=suites.corrections_suite(), model="large", rights=[False],
                with_recall=with_recall, endpoint=providers.endpoint().name,
            )  # fmt: skip

    await failed()

    await adam.send(channel, "!use large")
    refused = last(channel).content
    await adam.send(channel, "!use small")

    assert "large is not chosen yet. It fails 1 of 1 correction" in refused
    assert "An admin can give a reason on this server's page of the dashboard." in refused
    assert last(channel).content.startswith("`small` answers in this channel from the next message")
    assert "Nobody has tested it for this place." in last(channel).content
