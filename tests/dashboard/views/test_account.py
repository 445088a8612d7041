"""One's own account: a code for Discord, who one is there, and how it ends."""

import re

import pytest

from dashboard.models import DiscordLink
from dashboard.services import links
from dashboard.services.access import Person, Role

pytestmark = pytest.mark.django_db
ADA = Person(role=Role.MEMBER, name="ada <b>", discord_user_id=77)


@pytest.fixture
def member(reader):
    return reader(Role.MEMBER)


def made(client) -> str:
    said = client.post("/account/discord/code/").content.decode()
    found = re.search(r"/link ([A-Z0-9]{4}-[A-Z0-9]{4})<", said)
    assert found, said
    return found[1]


def test_a_code_is_shown_once(member):
    code = made(member)

    assert links.redeem(person=ADA, code=code)
    assert code not in member.get("/account/").content.decode()


def test_the_page_that_shows_a_code_notices_that_it_was_used(member):
    code = made(member)
    assert member.get("/account/discord/").status_code == 204
    links.redeem(person=ADA, code=code)

    said = member.get("/account/discord/").content.decode()

    assert "ada &lt;b&gt;" in said
    assert "every 3s" not in said


def test_a_page_opened_anew_says_that_a_code_still_works(member):
    made(member)

    assert "a new one takes its place" in member.get("/account/").content.decode()


def test_no_browser_keeps_a_code(member):
    assert "no-store" in member.post("/account/discord/code/")["Cache-Control"]


def test_unlinking_is_one_click(member):
    links.redeem(person=ADA, code=made(member))

    said = member.post("/account/discord/unlink/", follow=True).content.decode()

    assert "Unlinked." in said
    assert not DiscordLink.objects.exists()


def test_a_linked_account_gets_no_code(member):
    links.redeem(person=ADA, code=made(member))

    response = member.post("/account/discord/code/")

    assert response.status_code == 409
    assert "Unlink it first" in response.content.decode()


def test_unlinking_what_is_not_linked_says_so(member):
    response = member.post("/account/discord/unlink/")

    assert response.status_code == 404
    assert "is not linked" in response.content.decode()


def test_every_page_leads_to_the_account(member):
    assert 'href="/account/"' in member.get("/playground/").content.decode()
