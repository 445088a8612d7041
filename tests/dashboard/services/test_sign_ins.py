"""Guessing passwords: how often, and for whom it ends."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import FailedSignIn
from dashboard.services import sign_ins
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db


def fail(times, *, username="ann", address="192.0.2.1"):
    for _ in range(times):
        sign_ins.begin(username=username, address=address)


def test_after_five_wrong_passwords_a_person_waits():
    fail(sign_ins.MOST_BY_PERSON)

    with pytest.raises(NotAllowed, match="Wait 15 minutes"):
        sign_ins.begin(username="ann", address="192.0.2.1")


def test_others_at_other_addresses_do_not_wait_with_them():
    fail(sign_ins.MOST_BY_PERSON)

    sign_ins.begin(username="ann", address="192.0.2.2")
    sign_ins.begin(username="bob", address="192.0.2.1")


def test_the_spelling_of_a_name_gives_no_further_tries():
    fail(sign_ins.MOST_BY_PERSON, username="ann")

    with pytest.raises(NotAllowed):
        sign_ins.begin(username=" ANN", address="192.0.2.1")


def test_one_address_cannot_try_many_names():
    for n in range(sign_ins.MOST_BY_ADDRESS):
        sign_ins.begin(username=f"name {n}", address="192.0.2.1")

    with pytest.raises(NotAllowed):
        sign_ins.begin(username="another", address="192.0.2.1")


def test_many_addresses_cannot_try_one_name():
    for n in range(sign_ins.MOST_BY_NAME):
        sign_ins.begin(username="ann", address=f"192.0.2.{n}")

    with pytest.raises(NotAllowed):
        sign_ins.begin(username="ann", address="198.51.100.1")


def test_the_waiting_ends_and_old_failures_are_forgotten():
    fail(sign_ins.MOST_BY_PERSON)
    FailedSignIn.objects.update(failed_at=now() - sign_ins.WINDOW - timedelta(seconds=1))

    sign_ins.begin(username="ann", address="192.0.2.1")

    assert FailedSignIn.objects.count() == 1


def test_a_right_password_clears_what_went_wrong_before():
    fail(sign_ins.MOST_BY_PERSON)

    sign_ins.succeeded(username="ann", address="192.0.2.1")

    sign_ins.begin(username="ann", address="192.0.2.1")


def test_no_row_holds_what_was_typed_for_a_name():
    sign_ins.begin(username="my password by mistake", address="192.0.2.1")

    assert "password" not in FailedSignIn.objects.get().name_key
