"""A shadow is asked what people asked, and nobody sees it but on the dashboard."""

import pytest
from asgiref.sync import sync_to_async

from dashboard.models import (
    Alias,
    Conversation,
    DiscordChannel,
    DiscordUser,
    Message,
    ShadowAnswer,
    Task,
)
from dashboard.services import assistant, chat, places, releases, tasks
from dashboard.services.chat import kept
from dashboard.services.conversations import Answer
from dashboard.services.releases import history
from tests.factories import (
    AliasFactory,
    ConversationFactory,
    CorrectionFactory,
    ModelPriceFactory,
    PlaceSettingsFactory,
    ReleaseFactory,
)
from tests.fakes.openai_endpoint import Reply, error_body
from trainerbot.conversation import Finished

pytestmark = pytest.mark.django_db(transaction=True)


@sync_to_async
def answering(model: str = "small") -> Alias:
    """An alias that answers everywhere."""
    alias = AliasFactory(name="support", answered_by=model)
    assistant.use_model("@support", actor=None)
    return alias


@sync_to_async
def shadowed(alias: Alias, percent: int = 100, **how: object) -> None:
    release = ReleaseFactory(alias=alias, model="large", **how)
    releases.start_shadow(release, percent=percent, actor=None)


begin = sync_to_async(ConversationFactory)


async def ask(
    question: str = "When do you open?", conversation: Conversation | None = None
) -> Answer:
    return await chat.answer(conversation=conversation or await begin(), question=question)


@sync_to_async
def work_off() -> None:
    while tasks.run_next("worker"):
        pass


@sync_to_async
def the_shadow() -> ShadowAnswer:
    return ShadowAnswer.objects.get()


async def test_people_get_the_stable_answer_and_the_shadow_is_kept_beside_it(endpoint):
    alias = await answering()
    await shadowed(alias, system_prompt="You are the new one.")
    endpoint.replies = [Reply(pieces=("At nine.",)), Reply(pieces=("At ten.",))]

    said = await ask()
    await work_off()

    assert (said.text, said.model) == ("At nine.", "small")
    kept = await the_shadow()
    assert (kept.answer, kept.error) == ("At ten.", "")
    assert endpoint.chats[-1]["model"] == "large"
    assert "You are the new one." in endpoint.chats[-1]["messages"][0]["content"]
    assert not await Message.objects.filter(content="At ten.").aexists()
    live = await sync_to_async(history.answers_to)([kept.question_id])
    assert live[kept.question_id].content == "At nine."


async def test_the_shadow_is_told_what_was_said_before(endpoint):
    alias = await answering()
    talk = await begin()
    await ask("My name is Ada.", talk)
    await shadowed(alias)

    await ask("Who am I?", talk)
    await work_off()

    words = [row["content"] for row in endpoint.chats[-1]["messages"]]
    assert words[-1] == "Who am I?"
    assert "My name is Ada." in words


async def test_a_shadow_is_asked_its_share_of_the_questions(endpoint):
    alias = await answering()
    await shadowed(alias, percent=30)
    talk = await begin()

    for number in range(40):
        await ask(f"Question {number}?", talk)

    assert 3 <= await ShadowAnswer.objects.acount() <= 24


async def test_a_correction_in_its_own_words_asks_no_shadow(endpoint):
    alias = await answering()
    await shadowed(alias)
    await sync_to_async(CorrectionFactory)(
        question="When do you open?", better_answer="At nine.", approved=True
    )

    assert (await ask()).text == "At nine."

    assert not await ShadowAnswer.objects.aexists()


async def test_nothing_is_asked_where_nothing_is_tried(endpoint):
    await answering()
    await ask()

    assert not await Task.objects.filter(kind="shadow").aexists()


async def test_what_a_shadow_costs_is_known(endpoint):
    alias = await answering()
    await sync_to_async(ModelPriceFactory)(model="large")
    await shadowed(alias)

    await ask()
    await work_off()

    kept = await the_shadow()
    assert kept.cost_usd is not None
    assert kept.ms is not None


async def test_a_shadow_that_is_refused_says_why_and_people_notice_nothing(endpoint):
    alias = await answering()
    await shadowed(alias)
    endpoint.replies = [Reply(), Reply(status=404, error=error_body("No such model", "model"))]

    assert (await ask()).text == "Hello there."
    await work_off()

    kept = await the_shadow()
    assert kept.answer == ""
    assert kept.error


async def test_a_shadow_is_asked_once_even_if_its_task_runs_again(endpoint):
    alias = await answering()
    await shadowed(alias)
    await ask()
    await work_off()
    await Task.objects.filter(kind="shadow").aupdate(state=Task.State.READY)

    await work_off()

    assert len(endpoint.chats) == 2


async def test_what_was_erased_is_not_asked(endpoint):
    alias = await answering()
    await shadowed(alias)
    talk = await begin()
    await ask(conversation=talk)
    await talk.adelete()

    await work_off()

    assert len(endpoint.chats) == 1
    assert not await ShadowAnswer.objects.aexists()


async def test_a_canary_answers_those_it_has_and_the_log_knows_which_release_it_was(endpoint):
    alias = await answering()
    canary = await sync_to_async(ReleaseFactory)(alias=alias, model="large")
    await sync_to_async(releases.start_canary)(canary, percent=99, actor=None)
    talks = [await begin() for _ in range(6)]

    models = {(await ask(conversation=talk)).model for talk in talks}

    assert "large" in models
    asked = Message.objects.filter(role=Message.Role.USER, release=canary)
    alias = await sync_to_async(releases.get)("support")
    stable, tried = await sync_to_async(history.watched)(alias)
    assert await asked.acount() == tried.n_answers
    assert stable.n_answers + tried.n_answers == 6


# --- what it is told is what the one that answered was told ---------------------------
GUILD, CHANNEL, THREAD, ADA, BOB = 1, 2, 3, 4, 5


async def ask_in_thread(text: str, who: int, message_id: int) -> Message:
    """Ask on Discord, in a thread of a channel, and be answered there."""
    spot = chat.Spot(
        guild_id=GUILD, guild_name="Guild", channel_id=THREAD, channel_name="thread",
        discord_user_id=who, user_name=f"user-{who}", parent_id=CHANNEL, parent_name="help",
    )  # fmt: skip

    def permit(rules):
        return rules.place(GUILD, THREAD, CHANNEL)

    asked = chat.Asked(text=text, discord_message_id=message_id)
    ready = await sync_to_async(chat.begin)(spot, asked, permit)
    async for event in chat.run(ready):
        if isinstance(event, Finished):
            await sync_to_async(chat.finish)(ready.question, event, [message_id + 1])
    return ready.question


async def test_in_a_thread_it_is_told_what_everybody_said_there(endpoint):
    alias = await answering()
    await ask_in_thread("My name is Ada.", ADA, 100)
    await shadowed(alias)

    await ask_in_thread("Who spoke before me?", BOB, 200)
    await work_off()

    live, shadow = endpoint.chats[-2:]
    assert "My name is Ada." in [row["content"] for row in shadow["messages"]]
    assert shadow["messages"] == live["messages"]


async def test_in_a_thread_its_channels_settings_count(endpoint):
    alias = await answering()
    await ask_in_thread("Hello?", ADA, 100)

    @sync_to_async
    def in_its_channel() -> None:
        channel = DiscordChannel.objects.get(discord_channel_id=CHANNEL)
        PlaceSettingsFactory(guild=channel.guild, channel=channel, system_prompt="Be a pirate.")
        places.forget()
        kept.forget()

    await in_its_channel()
    await shadowed(alias)
    await ask_in_thread("And now?", ADA, 200)
    await work_off()

    live, shadow = endpoint.chats[-2:]
    assert "Be a pirate." in shadow["messages"][0]["content"]
    assert shadow["messages"] == live["messages"]


async def test_it_answers_in_the_persons_own_language(endpoint):
    alias = await answering()
    await ask_in_thread("Hello?", ADA, 100)
    await DiscordUser.objects.filter(discord_user_id=ADA).aupdate(language="de")
    await sync_to_async(kept.forget)()
    await shadowed(alias)

    await ask_in_thread("And now?", ADA, 200)
    await work_off()

    assert "Answer in German (de)." in endpoint.chats[-1]["messages"][0]["content"]
