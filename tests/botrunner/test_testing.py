"""`!test`: records however they are written, a dataset's name, and what is said of them."""

import asyncio
import json

import pytest
from channels.db import database_sync_to_async

from botrunner.intake import Patience
from dashboard.models import Evaluation
from dashboard.services import requests
from dashboard.services.access import Person, Role
from tests.botrunner.roles import add_member
from tests.botrunner.working import a_worker, give
from tests.dashboard.evaluations.answering import by_the_word, classifying
from tests.factories import LabelledVersionFactory
from tests.fakes.openai_endpoint import Reply, error_body

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.simcord(settle_timeout=30),
]
DONE = "Test complete. Predictions: "
INVALID = "Invalid test data format. Please provide a valid JSON string."


@pytest.fixture
def channel(simcord_env):
    return simcord_env.create_guild(name="Testers").create_text_channel("general")


@pytest.fixture
async def tess(simcord_env, channel):
    return await add_member(simcord_env, channel.guild, "tess", grants="trainer")


@pytest.fixture
def reader(model):
    """A model that tells shops from other pages by a word."""
    model.answer = classifying(by_the_word)
    return model


def last_words(channel) -> str:
    return [m for m in channel.history() if m.author.bot][-1].content


@pytest.mark.origin(12)
@pytest.mark.parametrize(
    "words",
    [
        '{"a": "b c"}',
        '```json\n{"a": "b c"}\n```',
        '`{"a": "b c"}`',
        "{“a”: “b c”}",
        '[{"text": "b c", "name": "a"}]',
    ],
)
async def test_records_are_read_however_they_are_written(channel, tess, reader, words):
    await tess.send(channel, f"!test {words}")

    assert last_words(channel).splitlines()[:2] == [f"{DONE}negative", "▫️ a: negative"]


@pytest.mark.origin(12)
@pytest.mark.parametrize(
    "words", ["{'text': 'a'}", '[{"text": "a"},]', '{"text": 3}', "[]", "rooms", "{" * 1900]
)
async def test_what_is_no_test_data_is_said_in_words(channel, tess, reader, words):
    await tess.send(channel, f"!test {words}")

    first, why = last_words(channel).split("\n", 1)
    assert first == INVALID
    assert why
    assert reader.chats == []


@pytest.mark.origin(13)
async def test_each_record_its_prediction_and_mismatches_by_name(channel, tess, reader):
    records = [
        {"text": "A basket", "label": "online_store", "name": "shop.txt"},
        {"text": "News", "label": "positive"},
        {"text": "Pay here"},
    ]

    await tess.send(channel, f"!test {json.dumps(records)}")

    assert last_words(channel).splitlines() == [
        f"{DONE}positive, negative, positive",
        "✅ shop.txt: positive",
        "❌ record 2: negative, expected positive",
        "▫️ record 3: positive",
        "Mismatches: record 2",
        "Accuracy 50.0% (1 of 2), 9.5% to 90.5% with 95 % confidence",
        "-# small, choosing among positive, negative.",
    ]


@pytest.mark.origin(31)
async def test_an_answer_that_is_no_label_is_unknown_and_wrong(channel, tess, model):
    model.answer = classifying(lambda text: "I would rather not say", binds=False)

    await tess.send(channel, '!test {"text": "A basket", "label": "positive"}')

    said = last_words(channel)
    assert said.startswith(f"{DONE}unknown\n❌ record 1: unknown, expected positive")
    assert "Accuracy 0.0% (0 of 1)" in said


async def test_more_than_a_message_comes_as_a_file(channel, tess, reader):
    records = [{"text": f"A basket {n}", "name": f"page {n}"} for n in range(100)]
    message = json.dumps(records)

    await tess.send(channel, "!test", attachments=[("pages.json", message.encode())])

    # simcord's files lie with no Discord; over sockets it is fetched, see below.
    assert "does not lie with Discord" in last_words(channel)


async def test_a_model_that_refuses_gives_no_predictions(channel, tess, model):
    model.default = Reply(status=401, error=error_body("Incorrect API key: sk-123"))

    await tess.send(channel, '!test {"text": "A basket"}')

    first, why = last_words(channel).split("\n", 1)
    assert first == "Failed to get predictions."
    assert "sk-123" not in why


async def test_members_may_not_test(simcord_env, channel, reader):
    eve = await add_member(simcord_env, channel.guild, "eve")

    await eve.send(channel, '!test {"text": "A basket"}')

    assert last_words(channel).startswith("A member may not start and cancel fine-tunes.")
    assert len(simcord_env.errors) == 1
    assert reader.chats == []


async def test_slashed_it_is_the_same(channel, tess, reader):
    result = await tess.slash(channel, "test", data='{"text": "A basket", "label": "positive"}')

    assert result.response.content.startswith(f"{DONE}positive\n✅ record 1: positive")


# --- over sockets ---------------------------------------------------------------------
@pytest.fixture
def bot(connected_bot, reader):
    connected_bot.get_cog("Testing").patience = Patience(look_every_s=0.05)
    return connected_bot


@pytest.fixture
def owner(discord_server):
    return discord_server.world.owner


@pytest.mark.origin(12)
async def test_an_attached_file_is_tested_and_long_results_come_as_a_file(bot, discord_server):
    records = [{"text": f"A basket {n}", "name": f"page {n}"} for n in range(150)]

    asked = await give(discord_server, "!test", "pages.json", json.dumps(records).encode())
    answer = await discord_server.wait_for_reply(to=asked, containing=DONE, timeout_s=30.0)

    assert answer.content.splitlines()[0] == f"{DONE}150 × positive"
    [file] = answer.attachments
    found = json.loads(file.content)
    assert (file.filename, len(found)) == ("predictions.json", 150)
    assert found[7] == {
        "name": "page 7",
        "text": "A basket 7",
        "label": None,
        "prediction": "positive",
        "right": None,
        "answer": '{"label": "positive"}',
        "error": None,
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pages.json", b"\xff\xfe\x00", "is not text in UTF-8"),
        ("pages.json", b"MZ no JSON at all", "Line 1 is no JSON"),
        ("pages.json", b" " * (9 * 2**20), "is larger than 8 MiB"),
    ],
)
async def test_a_file_that_lies_about_itself_is_refused(bot, discord_server, name, content, said):
    asked = await give(discord_server, "!test", name, content, size=10)

    answer = await discord_server.wait_for_reply(to=asked, containing=INVALID)
    assert said in answer.content


async def test_two_files_are_refused(bot, discord_server, owner):
    files = [discord_server.cdn.upload(n, b"{}", "application/json") for n in ("a.json", "b.json")]

    asked = await discord_server.say(owner, "!test", attachments=files)

    await discord_server.wait_for_reply(to=asked, containing="Attach one file to a message")


@pytest.mark.origin(13)
async def test_a_dataset_of_the_library_is_tested_by_the_worker(bot, discord_server, owner):
    await database_sync_to_async(LabelledVersionFactory)(dataset__name="shops")

    async with a_worker():
        asked = await discord_server.say(owner, "!test shops")
        answer = await discord_server.wait_for_reply(to=asked, containing=DONE, timeout_s=30.0)

    assert answer.content.splitlines()[:5] == [
        f"{DONE}positive, negative, positive, negative",
        "✅ page 0: positive",
        "✅ page 1: negative",
        "✅ page 2: positive",
        "✅ page 3: negative",
    ]
    assert "Mismatches: none" in answer.content
    assert answer.components == []
    assert (await Evaluation.objects.aget()).model == "small"


async def test_a_test_is_cancelled_by_its_button(bot, discord_server, owner, reader):
    await database_sync_to_async(LabelledVersionFactory)(dataset__name="shops")
    asked = await discord_server.say(owner, "!test shops")
    shown = await discord_server.wait_for_reply(to=asked, containing="Testing small on shops v1")
    await discord_server.until(lambda: shown.components, "there is a button")
    [row] = shown.components
    [button] = row["components"]

    data = {"custom_id": button["custom_id"], "component_type": 2}
    await discord_server.interact(owner, type=3, data=data, about=shown)

    await discord_server.wait_for_reply(to=asked, containing="The test was cancelled.")
    assert reader.chats == []


async def test_a_long_try_is_cancelled_by_its_button(bot, discord_server, owner, reader):
    reader.answer = classifying(by_the_word, delay_s=0.5)
    records = json.dumps([{"text": f"A basket {n}"} for n in range(900)])
    asked = await give(discord_server, "!test", "pages.json", records.encode())
    shown = await discord_server.wait_for_reply(to=asked, containing="of 900")
    [row] = shown.components
    [button] = row["components"]

    data = {"custom_id": button["custom_id"], "component_type": 2}
    await discord_server.interact(owner, type=3, data=data, about=shown)

    await discord_server.wait_for_reply(to=asked, containing="The test was cancelled.")
    assert len(reader.chats) < 900
    await asyncio.sleep(0)


async def test_the_button_of_a_try_that_a_kill_has_ended_says_so(bot, discord_server, owner):
    shown = discord_server.world.add_message(
        discord_server.world.general, discord_server.bot, "Testing small: 7 of 900 …"
    )
    request = await kept_try(owner, shown)

    data = {"custom_id": f"test:cancel:{request.pk}", "component_type": 2}
    await discord_server.interact(owner, type=3, data=data, about=shown)
    await bot.get_cog("Requests").take_up()  # as in each new session

    said = "The bot was restarted during this test, which stopped it. Start it again."
    await discord_server.wait_for_reply(containing=said)


@database_sync_to_async
def kept_try(owner, shown):
    person = Person(Role.TRAINER, owner.name, discord_user_id=int(owner.id))
    asked = requests.Asked(person, None, int(shown.channel.id), int(shown.id))
    return requests.begin_test(asked=asked, model="small")
