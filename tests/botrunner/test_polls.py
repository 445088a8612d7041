"""Blind votes as polls on Discord: posted once, counted once, taken back where words are erased."""

import pytest
from channels.db import database_sync_to_async

from botrunner.cogs import polls as cog
from dashboard.models import DiscordChannel, DiscordGuild, SuitePoll, SuiteVote, Task
from dashboard.services import links, suites
from dashboard.services.access import Person, Role
from dashboard.services.suites import polls, votes
from dashboard.services.suites.content import Content
from dashboard.services.tasks import queue
from tests.botrunner.test_errands import end_of
from tests.factories import CorrectionFactory, SuiteRunFactory, UserFactory, suite_version

pytestmark = pytest.mark.django_db(transaction=True)
SEND_POLLS = 1 << 49
State = SuitePoll.State


@database_sync_to_async
def asked(discord_server, *, n: int = 1, question: str = "", version=None) -> list[SuitePoll]:
    """A poll in the general channel on two runs, the first of which is right."""
    world = discord_server.world
    guild, _ = DiscordGuild.objects.get_or_create(
        discord_guild_id=int(world.guild.id), defaults={"name": "Testers"}
    )
    channel, _ = DiscordChannel.objects.get_or_create(
        discord_channel_id=int(world.general.id), defaults={"guild": guild, "name": "general"}
    )
    contents = [Content(question=question, expected="At nine.")] if question else []
    version = version or suite_version(*contents, n_cases=n)
    runs = [
        SuiteRunFactory(version=version, rights=[is_right] * version.n_cases)
        for is_right in (True, False)
    ]
    return polls.ask(*runs, channel_id=channel.pk, hours=4, n=n, actor=UserFactory(admin=True))


@database_sync_to_async
def task_of(kind: str) -> Task:
    return Task.objects.filter(kind=kind).order_by("-pk")[0]


async def posted(discord_server, **kwargs):
    """The row of a poll, and its message."""
    [poll] = await asked(discord_server, **kwargs)
    done = await end_of(await task_of(polls.POST))
    assert done.state == "succeeded", done.error
    await poll.arefresh_from_db()
    return poll, discord_server.world.messages[str(poll.discord_message_id)]


@database_sync_to_async
def ended(poll: SuitePoll) -> None:
    polls.end_now(poll.pk, actor=UserFactory(admin=True))


@database_sync_to_async
def tally() -> list[str]:
    return sorted(SuiteVote.objects.values_list("choice", flat=True))


async def test_a_poll_shows_the_question_and_both_answers_and_names_no_model(bot, discord_server):
    poll, message = await posted(discord_server, question="When? @everyone **now**")

    assert poll.state == State.OPEN
    assert "When? @\u200beveryone \\*\\*now\\*\\*" in message.content
    sides = ["Something else.", "At nine."] if poll.is_swapped else ["At nine.", "Something else."]
    assert message.content.splitlines()[1:5] == ["**A**", f"> {sides[0]}", "**B**", f"> {sides[1]}"]
    assert message.request["allowed_mentions"] == {"parse": []}
    assert message.poll.choices == list(cog.CHOICES.values())
    assert message.poll.hours == 4
    assert "small" not in message.content


async def test_votes_are_counted_once_and_for_the_answer_that_was_shown(bot, discord_server):
    poll, message = await posted(discord_server)
    people = [discord_server.add_user(name) for name in ("ada", "bob", "eve")]
    message.poll.vote(people[0], "A is better")
    message.poll.vote(people[1], "A is better")
    message.poll.vote(people[2], "Both are bad")

    await ended(poll)
    await ended(poll)
    await end_of(await task_of(polls.COUNT))

    chosen = "second" if poll.is_swapped else "first"
    assert await tally() == sorted([chosen, chosen, "neither"])
    await poll.arefresh_from_db()
    assert poll.state == State.CLOSED
    assert not await SuiteVote.objects.filter(voter__isnull=False).aexists()


@database_sync_to_async
def voted_on_the_page_by(user, poll: SuitePoll) -> None:
    """As the account to which somebody on Discord is linked."""
    grace = UserFactory()
    person = Person(role=Role.MEMBER, name=user.name, discord_user_id=int(user.id))
    links.redeem(person=person, code=links.make_code(grace))
    votes.cast(poll.first_id, poll.second_id, choice="tie", voter=grace)


async def test_whoever_voted_on_the_page_is_not_counted_in_the_poll(bot, discord_server):
    poll, message = await posted(discord_server)
    ada, *others = (discord_server.add_user(f"user{at}") for at in range(120))
    for user in (ada, *others):
        message.poll.vote(user, "Both are bad")
    await voted_on_the_page_by(ada, poll)

    await ended(poll)
    assert (await end_of(await task_of(polls.COUNT))).result == {"counted": True}

    assert await tally() == [*["neither"] * 119, "tie"]


async def test_a_poll_whose_time_came_while_the_bot_was_away_is_counted_when_it_is_back(
    run_bot, discord_server, model
):
    process, end = run_bot()
    await discord_server.wait_until_online()
    _, message = await posted(discord_server)
    process.wishes.ask_to_stop()
    await end
    message.poll.vote(discord_server.add_user("ada"), "Both are as good")
    message.poll.is_over = True
    await Task.objects.filter(kind=polls.COUNT).aupdate(run_at="2020-01-01T00:00Z")

    run_bot()

    assert (await end_of(await task_of(polls.COUNT))).result == {"counted": True}
    assert await tally() == ["tie"]


async def test_a_bot_killed_after_it_posted_does_not_post_again(run_bot, discord_server, model):
    [poll] = await asked(discord_server)
    task = await task_of(polls.POST)
    assert await database_sync_to_async(queue.claim)("a dead bot", of_bot=True) == task
    await Task.objects.aupdate(lease_until="2020-01-01T00:00Z")
    said = discord_server.world.add_message(
        discord_server.world.general, discord_server.bot, "the poll"
    )
    discord_server.routes.remember_nonce(discord_server.world.general, f"poll-{poll.pk}", said)

    run_bot()

    assert (await end_of(task)).result["message_id"] == said.id
    assert len(discord_server.world.said_by_bot()) == 1
    await poll.arefresh_from_db()
    assert (poll.state, poll.discord_message_id) == (State.OPEN, int(said.id))


async def test_what_discord_has_not_counted_yet_is_looked_at_again(bot, discord_server):
    await posted(discord_server)
    first = await task_of(polls.COUNT)
    await database_sync_to_async(queue.submit)(polls.COUNT, args=first.args)

    done = await end_of(await task_of(polls.COUNT))

    assert await tally() == []
    again = await Task.objects.filter(kind=polls.COUNT, state="ready").acount()
    assert (done.state, again) == ("succeeded", 2)


async def test_a_missing_permission_is_told_in_words(bot, discord_server):
    await discord_server.forbid(discord_server.world.general, SEND_POLLS)

    [poll] = await asked(discord_server)
    done = await end_of(await task_of(polls.POST))

    await poll.arefresh_from_db()
    assert (done.state, poll.state) == ("failed", State.FAILED)
    assert "Create Polls" in poll.error
    assert "Create Polls" in done.error
    assert discord_server.world.said_by_bot() == []


@pytest.mark.parametrize(
    ("status", "words"), [(403, "Create Polls"), (404, "channel is gone"), (400, "does not take")]
)
async def test_a_refusal_is_told_in_words(bot, discord_server, status, words):
    discord_server.fail_next(status, method="POST", path=".*/messages")

    [poll] = await asked(discord_server)
    await end_of(await task_of(polls.POST))

    await poll.arefresh_from_db()
    assert poll.state == State.FAILED
    assert words in poll.error


async def test_an_end_that_discord_made_without_saying_so_is_counted(bot, discord_server):
    poll, message = await posted(discord_server)
    message.poll.vote(discord_server.add_user("ada"), "Both are bad")
    discord_server.fail_next(502, method="POST", path=".*/expire", took_effect=True)

    await ended(poll)
    done = await end_of(await task_of(polls.COUNT))

    assert (done.state, done.result) == ("succeeded", {"counted": True})
    assert await tally() == ["neither"]


async def test_a_poll_that_was_deleted_counts_nothing_and_says_so(bot, discord_server):
    poll, message = await posted(discord_server)
    message.is_deleted = True

    await ended(poll)
    await end_of(await task_of(polls.COUNT))

    await poll.arefresh_from_db()
    assert (poll.state, poll.error) == (State.FAILED, cog.DELETED)
    assert await tally() == []


@database_sync_to_async
def taught():
    return CorrectionFactory(question="Who bakes?", better_answer="Captain Crumb.", approved=True)


async def test_words_that_are_erased_are_taken_off_discord(bot, discord_server):
    correction = await taught()
    version = await database_sync_to_async(suites.corrections_suite)()
    poll, message = await posted(discord_server, version=version)
    assert "Crumb" in message.content

    await database_sync_to_async(suites.erase)([correction.pk])
    await end_of(await task_of(polls.DROP))

    await poll.arefresh_from_db()
    assert message.is_deleted
    assert poll.state == State.FAILED


async def test_what_is_erased_before_it_is_posted_is_never_posted(discord_server, run_bot, model):
    correction = await taught()
    version = await database_sync_to_async(suites.corrections_suite)()
    [poll] = await asked(discord_server, version=version)
    await database_sync_to_async(suites.erase)([correction.pk])

    run_bot()
    await end_of(await task_of(polls.POST))

    await poll.arefresh_from_db()
    assert poll.state == State.FAILED
    assert discord_server.world.said_by_bot() == []


async def test_several_are_posted_one_after_the_other(bot, discord_server):
    await asked(discord_server, n=3)

    async for task in Task.objects.filter(kind=polls.POST):
        await end_of(task)

    assert len(discord_server.world.said_by_bot()) == 3
