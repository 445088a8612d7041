"""Which account and which Discord user are one person: codes, tries, and how it ends."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from dashboard.models import AuditEvent, DiscordLink, DiscordUser, LinkCode, LinkTry
from dashboard.services import access, links, people, privacy
from dashboard.services.access import Person, Role
from tests.factories import UserFactory
from trainerbot.errors import Conflict, InvalidInput, NotAllowed, NotFound

pytestmark = pytest.mark.django_db


def on_discord(discord_user_id=77, name="ada", role=Role.MEMBER):
    return Person(role=role, name=name, discord_user_id=discord_user_id)


@pytest.fixture
def grace():
    return UserFactory(username="grace")


def test_a_code_links_the_discord_user_who_gives_it(grace):
    code = links.make_code(grace)

    assert links.redeem(person=on_discord(), code=code) == grace

    assert str(links.standing(grace).link) == "grace is ada on Discord"
    assert links.account_of(77) == "grace"
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
        "link.code",
        "link.make",
    ]


def test_a_code_may_be_typed_as_people_type(grace):
    code = links.make_code(grace).lower().replace("-", " ")

    assert links.redeem(person=on_discord(), code=f" {code} ") == grace


def test_no_code_is_stored_anywhere(grace):
    code = links.make_code(grace)

    kept = str(LinkCode.objects.values_list()) + str(AuditEvent.objects.values_list())

    assert code not in kept
    assert code.replace("-", "") not in kept


def test_a_used_code_is_worth_nothing(grace):
    code = links.make_code(grace)
    links.redeem(person=on_discord(), code=code)

    with pytest.raises(Conflict, match="used already"):
        links.redeem(person=on_discord(78, "eve"), code=code)
    links.unlink(grace)
    with pytest.raises(Conflict, match="used already"):
        links.redeem(person=on_discord(), code=code)

    assert not DiscordLink.objects.exists()


def test_a_code_works_for_ten_minutes(grace):
    code = links.make_code(grace)
    LinkCode.objects.update(expires_at=now() - timedelta(seconds=1))

    with pytest.raises(Conflict, match="older than 10 minutes"):
        links.redeem(person=on_discord(), code=code)


def test_a_newer_code_takes_the_place_of_the_older_one(grace):
    old, new = links.make_code(grace), links.make_code(grace)

    with pytest.raises(InvalidInput, match="a newer one took its place"):
        links.redeem(person=on_discord(), code=old)
    assert links.redeem(person=on_discord(), code=new) == grace


@pytest.mark.parametrize(
    "words", ["", "AAAA-AAAA", "x" * 4_000, "😀", "a\0b", "\ud800", "' OR 1=1"]
)
def test_what_is_no_code_is_refused_in_words(grace, words):
    links.make_code(grace)

    with pytest.raises(InvalidInput, match="That code is wrong"):
        links.redeem(person=on_discord(), code=words)


def test_whoever_guesses_waits_even_with_the_right_code(grace):
    code = links.make_code(grace)
    for _ in range(links.MOST_TRIES):
        with pytest.raises(InvalidInput):
            links.redeem(person=on_discord(), code="wrong")

    with pytest.raises(NotAllowed, match="Wait 10 minutes"):
        links.redeem(person=on_discord(), code=code)
    LinkTry.objects.update(tried_at=now() - links.WINDOW - timedelta(seconds=1))
    assert links.redeem(person=on_discord(), code=code) == grace

    assert not LinkTry.objects.exists()


def test_somebody_elses_guesses_let_nobody_else_wait(grace):
    code = links.make_code(grace)
    for _ in range(links.MOST_TRIES):
        with pytest.raises(InvalidInput):
            links.redeem(person=on_discord(78, "eve"), code="wrong")

    assert links.redeem(person=on_discord(), code=code) == grace


def test_one_account_has_one_discord_user(grace):
    links.redeem(person=on_discord(), code=links.make_code(grace))

    with pytest.raises(Conflict, match="linked to a Discord user already"):
        links.make_code(grace)


def test_one_discord_user_has_one_account(grace):
    links.redeem(person=on_discord(), code=links.make_code(grace))
    other = links.make_code(UserFactory())

    with pytest.raises(Conflict, match="linked to the account grace already"):
        links.redeem(person=on_discord(), code=other)


def test_an_account_that_was_shut_links_nobody(grace):
    code = links.make_code(grace)
    grace.is_active = False
    grace.save()

    with pytest.raises(InvalidInput, match="That code is wrong"):
        links.redeem(person=on_discord(), code=code)


def test_somebody_of_the_dashboard_gives_no_code_here(grace):
    with pytest.raises(NotAllowed):
        links.redeem(person=Person(role=Role.ADMIN, name="grace", user=grace), code="x")
    with pytest.raises(NotFound):
        links.unlink_on_discord(Person(role=Role.ADMIN, name="grace", user=grace))


def test_either_side_ends_it(grace):
    for end in (lambda: links.unlink(grace), lambda: links.unlink_on_discord(on_discord())):
        links.redeem(person=on_discord(), code=links.make_code(grace))

        end()

        assert (links.standing(grace).link, links.account_of(77)) == (None, "")
        with pytest.raises(NotFound):
            end()
    assert AuditEvent.objects.filter(action="link.drop", target="account grace").count() == 2


def test_a_link_permits_nothing():
    admin, maya = UserFactory(admin=True), UserFactory()
    links.redeem(person=on_discord(), code=links.make_code(admin))
    links.redeem(person=on_discord(78, "eve", Role.ADMIN), code=links.make_code(maya))

    assert access.role_of(on_discord()) is Role.MEMBER
    assert access.role_of(maya) is Role.MEMBER
    assert not access.can(on_discord(), access.Permission.REVIEW)


def test_whoever_is_erased_on_discord_is_linked_no_more(grace):
    links.redeem(person=on_discord(), code=links.make_code(grace))
    assert privacy.stored(77).account == "grace"
    assert '"user__username": "grace"' in privacy.export(77)

    privacy.erase(77, corrections_too=False)

    assert not DiscordLink.objects.exists()
    assert links.standing(grace).link is None


def test_what_stays_after_an_erasure_is_linked_no_more_either(grace):
    links.redeem(person=on_discord(), code=links.make_code(grace))
    DiscordUser.objects.update(is_heard=False)

    privacy.erase(77, corrections_too=False)

    assert DiscordUser.objects.get().name == ""
    assert not DiscordLink.objects.exists()


def test_an_account_that_is_deleted_is_linked_no_more(grace):
    links.redeem(person=on_discord(), code=links.make_code(grace))

    grace.delete()

    assert links.account_of(77) == ""
    assert people.identity(on_discord()).user is None


def test_the_name_is_the_one_that_discord_tells_now(grace):
    people.on_discord(on_discord(name="old ada"))

    links.redeem(person=on_discord(), code=links.make_code(grace))

    assert str(links.standing(grace).link.discord_user) == "ada"


@pytest.mark.django_db(transaction=True)
def test_of_those_who_give_one_code_at_once_one_is_linked():
    code = links.make_code(UserFactory())
    start, said = threading.Barrier(4), []

    def give(discord_user_id):
        try:
            start.wait()
            links.redeem(person=on_discord(discord_user_id), code=code)
            said.append("linked")
        except Conflict as error:
            said.append(str(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=give, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == sorted(["linked", *[links.USED] * 3])
    assert DiscordLink.objects.count() == 1
