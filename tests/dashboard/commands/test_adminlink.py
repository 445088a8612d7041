import pytest

from dashboard.services import people
from tests.dashboard.commands.running import rows, run
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_the_link_signs_in_as_admin_once_even_when_an_admin_has_a_password(settings):
    admin = UserFactory(admin=True)
    admin.set_password("correct horse battery")
    admin.save()

    link = run("adminlink").strip()

    assert link.startswith(f"http://127.0.0.1:{settings.PORT}/start/")
    assert people.claim_first_admin(link.split("/")[-2]) == admin


def test_programs_get_the_link_as_json():
    (told,) = rows("adminlink")
    assert people.claim_first_admin(told["link"].split("/")[-2]).is_superuser
