import pytest

from dashboard.models import AuditEvent
from dashboard.services import audit
from tests.factories import UserFactory
from trainerbot.errors import Conflict

pytestmark = pytest.mark.django_db


@pytest.mark.origin(49)
def test_it_is_noted_who_did_what_to_what():
    user = UserFactory()
    audit.record(user, "job.submit", "job 7", base_model="small")
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == (user, user.username)
    assert (event.action, event.target, event.detail) == (
        "job.submit",
        "job 7",
        {"base_model": "small"},
    )


def test_a_command_and_a_person_without_an_account_are_named():
    audit.record(None, "dataset.import")
    audit.record(None, "correction.propose", name="maya on Discord")
    names = AuditEvent.objects.order_by("pk").values_list("actor_name", flat=True)
    assert list(names) == ["command line", "maya on Discord"]


def test_the_name_outlives_the_account():
    user = UserFactory(username="maya")
    audit.record(user, "job.submit")
    user.delete()
    event = AuditEvent.objects.get()
    assert (event.actor, event.actor_name) == (None, "maya")


def test_a_long_target_is_cut():
    audit.record(None, "dataset.import", "x" * 500)
    assert len(AuditEvent.objects.get().target) == 120


def test_what_was_noted_is_never_changed():
    audit.record(None, "dataset.import")
    event = AuditEvent.objects.get()
    event.action = "nothing"
    with pytest.raises(Conflict, match="never changed"):
        event.save()
