import pytest
from django.contrib.auth.models import User

from dashboard.models import AuditEvent
from dashboard.services import people
from tests.factories import UserFactory
from trainerbot.errors import NotAllowed

pytestmark = pytest.mark.django_db


def token_of(path: str) -> str:
    return path.split("/")[2]


def test_the_first_link_makes_the_first_admin():
    user = people.claim_first_admin(token_of(people.first_admin_path()))
    assert user.is_superuser
    assert not user.has_usable_password()
    assert AuditEvent.objects.get().action == "admin.link_used"


def test_a_link_works_once():
    token = token_of(people.first_admin_path())
    people.claim_first_admin(token)
    with pytest.raises(NotAllowed, match="adminlink"):
        people.claim_first_admin(token)


def test_only_the_newest_link_works():
    old = token_of(people.first_admin_path())
    new = token_of(people.first_admin_path())
    with pytest.raises(NotAllowed):
        people.claim_first_admin(old)
    assert people.claim_first_admin(new).is_superuser


def test_an_admin_without_password_still_gets_a_link_and_stays_one_account():
    people.claim_first_admin(token_of(people.first_admin_path()))
    people.claim_first_admin(token_of(people.first_admin_path()))
    assert User.objects.count() == 1


def test_an_admin_with_a_password_gets_none():
    admin = UserFactory(admin=True)
    admin.set_password("correct horse battery")
    admin.save()
    assert people.first_admin_path() == ""


def test_the_token_file_is_for_its_owner_alone():
    people.first_admin_path()
    assert people._token_path().stat().st_mode & 0o077 == 0


def test_a_chosen_password_is_kept_and_noted():
    user = UserFactory()

    people.choose_password(user, "a new one, long enough")

    assert User.objects.get(pk=user.pk).check_password("a new one, long enough")
    assert AuditEvent.objects.get().action == "password.change"


def test_of_two_who_hold_the_right_token_at_once_the_later_is_told(tmp_path):
    path = tmp_path / "token"
    path.touch()

    people._use_up(path)

    with pytest.raises(NotAllowed, match="was used before"):
        people._use_up(path)
