"""A dataset's file given to the bot: who may, what comes of it, and what goes wrong."""

import json
import re
from unittest.mock import ANY

import pytest
from channels.db import database_sync_to_async

from botrunner.intake import Patience
from dashboard.models import (
    AuditEvent,
    DatasetImport,
    DatasetVersion,
    DiscordRequest,
    Example,
)
from dashboard.services import drafts, imports, requests
from dashboard.services.access import Person, Role
from tests.botrunner.roles import add_member
from tests.botrunner.talking import bots_words
from tests.botrunner.working import a_worker, give, online
from tests.dashboard.imports.conftest import row
from tests.fakes.discord import payloads

State = DatasetImport.State
LINES = "".join(json.dumps(row(n)) + "\n" for n in range(12)).encode()
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.simcord(settle_timeout=30)]


# --- who may, in a simulated Discord ----------------------------------------------------
@pytest.fixture
async def trainer(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "tess", grants="trainer")


async def test_who_is_no_trainer_is_refused_and_noted(simcord_env, channel, ada):
    await ada.send(channel, "!import rooms", attachments=[("rooms.jsonl", LINES)])

    [sentence] = bots_words(channel)
    assert sentence.startswith("A member may not add and delete datasets. Ask an admin for")
    assert len(simcord_env.errors) == 1
    event = await AuditEvent.objects.aget()
    assert (event.action, event.actor_name) == ("access.deny", "ada")
    assert event.detail == {"discord_user_id": ada.id, "role": "member"}
    assert not await DatasetImport.objects.aexists()


@pytest.mark.parametrize(
    ("words", "files", "said"),
    [
        ("!import rooms", [], "Attach the dataset's file"),
        ("!import rooms", [("a.jsonl", b"{}"), ("b.jsonl", b"{}")], "Attach one file"),
        ("!import rooms", [("a.jsonl", b"")], "This file is empty."),
        ("!import rooms positive=perhaps", [("a.zip", b"x")], "Use it like this: `!import <name>"),
        ("!import", [("a.jsonl", b"{}")], "Use it like this: `!import <name> [positive=True"),
        ("!import rooms", [("a.jsonl", LINES)], "does not lie with Discord"),  # but with simcord
    ],
)
async def test_what_cannot_be_taken_is_said_in_one_sentence(
    simcord_env, channel, trainer, words, files, said
):
    await trainer.send(channel, words, attachments=files)

    [sentence] = bots_words(channel)
    assert said in sentence
    assert len(simcord_env.errors) <= 1  # what cogs/errors answered, if it was that
    assert not await DatasetImport.objects.unfinished().aexists()


async def test_a_file_over_the_limit_is_refused_before_a_byte_is_fetched(
    channel, trainer, settings
):
    settings.MAX_UPLOAD_BYTES = 100

    await trainer.send(channel, "!import rooms", attachments=[("rooms.jsonl", LINES)])

    [sentence] = bots_words(channel)
    assert "over the limit" in sentence
    assert not await DatasetImport.objects.aexists()


# --- what is fetched, over sockets ------------------------------------------------------
@pytest.fixture
def bot(connected_bot):
    """The bot over sockets in this process, whose patience a test may shorten."""
    return connected_bot


async def test_a_clean_file_becomes_a_draft_that_says_where_it_came_from(
    bot, discord_server, settings
):
    settings.CSRF_TRUSTED_ORIGINS = ["https://bot.example.org"]
    async with a_worker():
        asked = await give(discord_server, "!import rooms", "rooms_de.jsonl", LINES)
        answer = await discord_server.wait_for_reply(to=asked, containing="a draft")

    assert answer.content.splitlines() == [
        r"rooms\_de.jsonl: OpenAI chat data: 12 rows of messages (JSONL).",
        "12 examples, 0 errors.",
        ANY,  # what its examination found: the numbers are its own tests'
        "Look at it, freeze and train it on the dashboard: <https://bot.example.org>",
    ]
    assert re.fullmatch(
        r"rooms v1: 12 examples, a draft. \d+ tokens(, free to train on here)?. Duplicates: \d+. With private data: 0.",
        answer.content.splitlines()[2],
    )
    assert len(discord_server.world.said_by_bot()) == 1
    version = await DatasetVersion.objects.select_related("dataset").aget()
    assert (version.dataset.name, version.is_draft) == ("rooms", True)
    example = await Example.objects.select_related("provenance").afirst()
    assert example.provenance.source == "discord_command"
    assert example.provenance.author == discord_server.world.owner.name
    assert example.provenance.reference == "rooms_de.jsonl"


async def test_rows_that_the_newest_frozen_version_has_already_make_no_other(bot, discord_server):
    async with a_worker():
        await give(discord_server, "!import rooms", "rooms.jsonl", LINES)
        await discord_server.wait_for_reply(containing="rooms v1: 12 examples, a draft")
        version = await DatasetVersion.objects.aget()
        await database_sync_to_async(drafts.freeze)(version, actor=None)

        await give(discord_server, "!import rooms", "again.jsonl", LINES)
        await discord_server.wait_for_reply(containing="rooms v1 holds the same 12 examples")

    assert await DatasetVersion.everything.acount() == 1


async def test_the_label_of_the_batch_is_taken_from_the_command(bot, discord_server):
    texts = json.dumps([{"text": "Add to cart"}, {"text": "About us", "label": "negative"}])
    async with a_worker():
        await give(discord_server, "!import shops positive=True", "a.json", texts.encode())
        await discord_server.wait_for_reply(containing="shops v1: 2 examples, a draft.")

    found = Example.objects.order_by("position").values_list("label", flat=True)
    assert [label async for label in found] == ["positive", "negative"]


async def test_a_faulty_file_is_refused_with_its_first_five_errors(bot, discord_server):
    faulty = LINES + b'{"messages": 1}\n' * 7
    async with a_worker():
        await give(discord_server, "!import rooms", "rooms.jsonl", faulty)
        answer = await discord_server.wait_for_reply(containing="Nothing was stored.")

    assert "12 examples, 7 errors." in answer.content
    assert "Errors, the first 5:" in answer.content
    assert [f"Line {n}," in answer.content for n in (13, 17, 18)] == [True, True, False]
    assert not await DatasetVersion.everything.aexists()
    assert (await DatasetImport.objects.aget()).is_over


async def test_a_file_of_no_known_format_is_refused_in_words(bot, discord_server):
    async with a_worker():
        await give(discord_server, "!import rooms", "rooms.pdf", b"%PDF-1.4 and so on")
        await discord_server.wait_for_reply(containing="This file is a PDF")

    assert (await DatasetImport.objects.aget()).is_over


@pytest.mark.parametrize(
    ("extra", "fault", "said"),
    [
        ({}, "breaks_off", "broke off"),
        ({}, "redirects_to", "does not hand this file out"),
        ({"size": 10}, "", "longer than was announced"),
        ({"size": 10**6}, "", "only a part of this file"),
        ({"url": "http://127.0.0.1:9/secret"}, "", "does not lie with Discord"),
        ({"url": "https://cdn.discordapp.com.example.org/a"}, "", "does not lie with Discord"),
        ({"url": "https://me@cdn.discordapp.com/a"}, "", "does not lie with Discord"),
    ],
)
async def test_a_file_that_does_not_come_whole_leaves_nothing(
    bot, discord_server, extra, fault, said
):
    if fault:
        setattr(discord_server.cdn, fault, f"{discord_server.cdn.address}/avatars/1.png")

    await give(discord_server, "!import rooms", "rooms.jsonl", LINES, **extra)

    await discord_server.wait_for_reply(containing=said)
    imported = await DatasetImport.objects.aget()
    assert imported.state == State.CANCELLED


# --- nobody works, or somebody stops ----------------------------------------------------
async def test_without_a_worker_it_asks_for_one_and_goes_on_once_it_runs(bot, discord_server):
    bot.get_cog("Library").patience = Patience(doubt_after_s=0.0)
    await give(discord_server, "!import rooms", "rooms.jsonl", LINES)
    asked_for = await discord_server.wait_for_reply(containing="is the worker running?")

    async with a_worker():
        answer = await discord_server.wait_for_reply(containing="a draft")

    assert answer is asked_for


async def test_without_a_worker_for_long_it_gives_up_and_leaves_nothing(bot, discord_server):
    bot.get_cog("Library").patience = Patience(give_up_after_s=0.5)

    await give(discord_server, "!import rooms", "rooms.jsonl", LINES)

    await discord_server.wait_for_reply(containing="was not checked in time")
    assert (await DatasetImport.objects.aget()).state == State.CANCELLED


# --- the bot is restarted, or killed -------------------------------------------------------
GOES_ON = "The bot is being restarted. It goes on with this by itself."


@pytest.mark.parametrize("n_tasks", [0, 1])
async def test_a_restart_of_the_bot_stops_no_import(aim, discord_server, n_tasks):
    """Before the check or after it: the next bot tells in the same message, and pings once."""
    async with online(discord_server) as bot, a_worker(n_tasks=n_tasks):
        await give(discord_server, "!import rooms", "rooms.jsonl", LINES)
        shown = await discord_server.wait_for_reply(containing="has arrived")
        await bot.in_flight.finish(within_s=0)
        assert shown.content == GOES_ON

    async with online(discord_server), a_worker():
        await discord_server.until(lambda: "a draft" in shown.content, "it is told", 60.0)
        await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)
        await discord_server.settle()

    assert len(pings(discord_server)) == 1
    assert len(discord_server.world.said_by_bot()) == 2
    assert await DatasetVersion.objects.acount() == 1
    assert not await DiscordRequest.objects.filter(told_at=None).aexists()


async def test_a_file_that_was_fetched_by_half_is_fetched_on(aim, discord_server):
    """As a kill leaves it: some bytes are here, the address of the others is kept."""
    request, shown = await left(discord_server, content=LINES, n_received=100)

    async with online(discord_server), a_worker():
        await discord_server.until(lambda: "a draft" in shown.content, "it is told", 60.0)

    await request.arefresh_from_db()
    assert request.url == ""
    assert (await DatasetVersion.objects.aget()).n_examples == 12


async def test_words_that_were_lost_with_the_bot_are_asked_for_again(aim, discord_server):
    request, shown = await left(discord_server, content=LINES, n_received=100, url="")

    async with online(discord_server):
        await discord_server.until(lambda: pings(discord_server), "the asker is told", 60.0)

    assert "restarted before it had read all of this. Send it again." in shown.content
    assert (await DatasetImport.objects.aget()).state == State.CANCELLED
    await request.arefresh_from_db()
    assert request.has_ended


def pings(discord_server) -> list[str]:
    """The messages that mention somebody so that it rings."""
    return [
        message.content
        for message in discord_server.world.said_by_bot()
        if (message.request.get("allowed_mentions") or {}).get("users")
    ]


async def left(discord_server, *, content: bytes, n_received: int, url: str | None = None):
    """A request whose bot was killed while it fetched the file, and its message."""
    world = discord_server.world
    shown = world.add_message(world.general, discord_server.bot, "Fetching rooms.jsonl …")
    file = discord_server.cdn.upload("rooms.jsonl", content, "application/json")
    asked = requests.Asked(
        Person(Role.TRAINER, "owner", discord_user_id=int(world.owner.id)),
        None,
        int(shown.channel.id),
        int(shown.id),
    )
    request = await database_sync_to_async(requests.begin_import)(
        "import",
        asked=asked,
        filename="rooms.jsonl",
        n_bytes=len(content),
        name="rooms",
        url=file.url if url is None else url,
    )
    await database_sync_to_async(imports.receive)(
        request.imported, offset=0, pieces=[content[:n_received]]
    )
    return request, shown


# --- by slash -----------------------------------------------------------------------------
async def test_by_slash_a_file_is_an_option_and_discord_hears_at_once_that_an_answer_comes(
    bot, discord_server
):
    file = discord_server.cdn.upload("rooms.jsonl", LINES, "application/json")
    options = [
        {"type": 3, "name": "name", "value": "rooms"},
        {"type": 11, "name": "attachment", "value": file.id},
    ]
    data = {"id": "1", "name": "import", "type": 1, "options": options}
    data["resolved"] = {"attachments": {file.id: payloads.attachment(file)}}

    used = await discord_server.interact(discord_server.world.owner, type=2, data=data)
    # Nobody reads the file yet: what Discord hears within three seconds waits for no work.
    await discord_server.wait_for_reply(containing="rooms.jsonl has arrived")
    first = discord_server.routes.callbacks[used]
    async with a_worker():
        answer = await discord_server.wait_for_reply(containing="a draft")

    assert first["type"] == 5
    assert answer.content.splitlines()[1] == "12 examples, 0 errors."
    version = await DatasetVersion.objects.select_related("dataset").aget()
    assert (version.dataset.name, version.n_examples) == ("rooms", 12)
