"""Passwords are not to be guessed: who has failed too often waits."""

from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Count, Q
from django.utils.crypto import salted_hmac
from django.utils.timezone import now

from dashboard.models import FailedSignIn
from trainerbot.errors import NotAllowed

WINDOW: Final = timedelta(minutes=15)
MOST_BY_PERSON: Final = 5  # one name from one address
MOST_BY_ADDRESS: Final = 50  # an office behind one address has many people
MOST_BY_NAME: Final = 50  # from all addresses: beyond that it is no person who mistypes


@transaction.atomic
def begin(*, username: str, address: str) -> None:
    """Count a try before its password is looked at; `succeeded` takes it back.

    Counted first, so that a hundred tries at once are a hundred, too. Raises
    NotAllowed, without counting, for whoever has to wait.
    """
    FailedSignIn.objects.filter(failed_at__lt=now() - WINDOW).delete()
    same_name, same_address = Q(name_key=_key(username)), Q(address=address)
    failed = FailedSignIn.objects.aggregate(
        by_person=Count("pk", filter=same_name & same_address),
        by_address=Count("pk", filter=same_address),
        by_name=Count("pk", filter=same_name),
    )
    if (
        failed["by_person"] >= MOST_BY_PERSON
        or failed["by_address"] >= MOST_BY_ADDRESS
        or failed["by_name"] >= MOST_BY_NAME
    ):
        raise NotAllowed(
            "Too many wrong passwords. Wait 15 minutes; an admin gets in at once by the link "
            "that `python3 run.py manage adminlink` prints."
        )
    FailedSignIn.objects.create(name_key=_key(username), address=address)


def succeeded(*, username: str, address: str) -> None:
    """Forget the failures of a person who has shown the right password."""
    FailedSignIn.objects.filter(name_key=_key(username), address=address).delete()


def _key(username: str) -> str:
    # Hashed: sooner or later somebody types a password into the field above it.
    return salted_hmac("sign-in", username.strip().casefold(), algorithm="sha256").hexdigest()
