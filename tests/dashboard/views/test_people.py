"""Coming in, by password and by the one-time link."""

import pytest
from django.contrib.auth.models import User

from dashboard.models import AuditEvent
from dashboard.services import people, sign_ins
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_the_one_time_link_signs_in_and_offers_a_password(client):
    response = client.get(people.first_admin_path(), follow=True)

    assert response.redirect_chain == [("/account/password/", 302)]
    assert "Choose a password" in response.content.decode()
    assert response.wsgi_request.user.is_superuser


def test_the_link_works_once(client):
    path = people.first_admin_path()
    client.get(path)
    client.logout()

    response = client.get(path, follow=True)

    assert response.redirect_chain == [("/sign-in/", 302)]
    assert "This link was used before" in response.content.decode()
    assert not response.wsgi_request.user.is_authenticated


def test_the_first_password_is_chosen_without_an_old_one(client):
    client.get(people.first_admin_path())
    secret = "fourteen green kettles"

    response = client.post("/account/password/", {"new_password1": secret, "new_password2": secret})

    assert response.status_code == 302
    assert User.objects.get().check_password(secret)
    assert AuditEvent.objects.filter(action="password.change").count() == 1
    assert client.get("/overview/").status_code == 200  # still signed in


def test_a_later_password_needs_the_old_one(client):
    user = UserFactory()
    user.set_password("an old password")
    user.save()
    client.force_login(user)

    response = client.post(
        "/account/password/",
        {
            "old_password": "wrong",
            "new_password1": "new words here",
            "new_password2": "new words here",
        },
    )

    assert response.status_code == 200
    assert "old password was entered incorrectly" in response.content.decode()


def test_signing_in_leads_to_where_one_wanted_to_go(client):
    user = UserFactory(admin=True)
    user.set_password("an old password")
    user.save()

    response = client.post(
        "/sign-in/",
        {"username": user.username, "password": "an old password", "next": "/datasets/"},
    )

    assert response["Location"] == "/datasets/"


def test_signing_in_never_leads_to_another_site(client):
    user = UserFactory(admin=True)
    user.set_password("an old password")
    user.save()

    response = client.post(
        "/sign-in/",
        {"username": user.username, "password": "an old password", "next": "https://evil.example/"},
    )

    assert response["Location"] == "/overview/"


def test_a_wrong_password_is_told_without_saying_which_part_was_wrong(client):
    response = client.post("/sign-in/", {"username": "nobody", "password": "nothing"})

    assert response.status_code == 200
    assert "correct username and password" in response.content.decode()


def test_signing_out_needs_a_post(client):
    client.force_login(UserFactory())

    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").status_code == 302


def test_the_chosen_theme_is_rendered_by_the_server(client):
    client.cookies["theme"] = "labdark"

    assert '<html lang="en" data-theme="labdark">' in client.get("/sign-in/").content.decode()


def test_a_made_up_theme_is_ignored(client):
    client.cookies["theme"] = "x onload=alert(1)"

    assert '<html lang="en">' in client.get("/sign-in/").content.decode()


@pytest.mark.parametrize("door", ["/sign-in/", "/admin/login/"])
def test_whoever_guesses_passwords_is_told_to_wait_even_with_the_right_one(client, door):
    user = UserFactory(admin=True)
    user.set_password("an old password")
    user.save()
    for _ in range(sign_ins.MOST_BY_PERSON):
        client.post(door, {"username": user.username, "password": "a guess"})

    response = client.post(door, {"username": user.username, "password": "an old password"})

    assert response.status_code == 200
    assert "Wait 15 minutes" in response.content.decode()
    assert not response.wsgi_request.user.is_authenticated


def test_signing_in_often_with_the_right_password_is_no_guessing(client):
    user = UserFactory()
    user.set_password("an old password")
    user.save()

    for _ in range(sign_ins.MOST_BY_PERSON + 1):
        words = {"username": user.username, "password": "an old password"}
        assert client.post("/sign-in/", words).status_code == 302
        client.logout()
