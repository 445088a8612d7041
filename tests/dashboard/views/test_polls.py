"""Asking people on Discord, from the page that compares two runs."""

import re

import pytest
from django.utils.timezone import now

from dashboard.models import SuitePoll, Task
from dashboard.services.suites import polls
from tests.factories import DiscordChannelFactory, SuiteRunFactory, UserFactory, suite_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs():
    version = suite_version(n_cases=3)
    return [SuiteRunFactory(version=version, rights=[each] * 3) for each in (True, False)]


@pytest.fixture
def address(runs):
    return f"/runs/polls/?a={runs[0].pk}&b={runs[1].pk}"


def test_an_admin_asks_from_the_comparison_and_sees_how_it_stands(admin, runs, address):
    channel = DiscordChannelFactory(name="lounge")
    compared = admin.get(f"/runs/compare/?a={runs[0].pk}&b={runs[1].pk}").content.decode()
    assert address.replace("&", "&amp;") in compared

    given = {"channel": channel.pk, "only": "clear", "n": 2, "hours": 24}
    page = admin.post(address, given, follow=True).content.decode()

    assert "The bot posts 2 polls." in page
    assert page.count("#lounge") >= 2
    assert SuitePoll.objects.count() == 2


def test_a_form_that_is_sent_twice_asks_once(admin, address):
    channel = DiscordChannelFactory()
    page = admin.get(address).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)[1]
    given = {
        "channel": channel.pk,
        "only": "clear",
        "n": 1,
        "hours": 24,
        "key": key,
    }

    admin.post(address, given)
    again = admin.post(address, given, follow=True)

    assert "The bot posts 1 poll." in again.content.decode()
    assert SuitePoll.objects.count() == Task.objects.filter(kind="bot.poll").count() == 1


def test_what_cannot_be_asked_is_said_beside_the_form(admin, address):
    channel = DiscordChannelFactory()
    given = {"channel": channel.pk, "only": "clear", "n": 2, "hours": 24}
    admin.post(address, given | {"n": 3})

    again = admin.post(address, given)
    wrong = admin.post(address, given | {"n": 99, "channel": "x"})

    assert (again.status_code, wrong.status_code) == (422, 422)
    assert "nothing to ask" in again.content.decode()
    assert not SuitePoll.objects.exclude(state="waiting").exists()


def test_a_poll_is_ended_by_its_button(admin, runs, address):
    [poll] = polls.ask(
        *runs, channel_id=DiscordChannelFactory().pk, hours=1, n=1, actor=UserFactory(admin=True)
    )
    polls.posted(poll.pk, message_id=7, ends_at=now())
    assert "End now" in admin.get(address).content.decode()

    ended = admin.post(f"/runs/polls/{poll.pk}/end/", follow=True)

    assert "ends this poll" in ended.content.decode()


def test_a_trainer_votes_here_and_asks_nobody_else(trainer, address, runs):
    assert trainer.get(address).status_code == 403
    compared = trainer.get(f"/runs/compare/?a={runs[0].pk}&b={runs[1].pk}").content.decode()
    assert "Ask on Discord" not in compared
