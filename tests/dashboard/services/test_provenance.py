"""Where rows come from decides whether they may be trained on."""

import pytest

from dashboard.models import AuditEvent, Example, Provenance
from dashboard.services import provenance
from tests.factories import DatasetVersionFactory, ProvenanceFactory, UserFactory
from trainerbot.errors import InvalidInput, NotAllowed

pytestmark = pytest.mark.django_db
MESSAGE = Provenance.Source.DISCORD_MESSAGE


@pytest.fixture
def version():
    """Twelve rows, four of them Discord message content."""
    made = DatasetVersionFactory()
    Example.objects.filter(position__lt=4).update(
        provenance=ProvenanceFactory(source=MESSAGE, author="eve", reference="#general")
    )
    return made


def test_the_shares_of_a_version_are_told_with_most_rows_first(version):
    shares = provenance.shares(version)
    assert [(share.provenance.source, share.n_rows) for share in shares] == [
        ("upload", 8),
        ("discord_message", 4),
    ]
    assert [share.is_forbidden for share in shares] == [False, True]


def test_many_hands_are_counted_without_a_query_for_each(version, django_assert_num_queries):
    for position in range(4, 10):
        Example.objects.filter(position=position).update(provenance=ProvenanceFactory())

    with django_assert_num_queries(3):
        shares = provenance.shares(version)

    assert [share.n_rows for share in shares] == [4, 2, 1, 1, 1, 1, 1, 1]


def test_message_content_is_refused_with_its_count(version):
    with pytest.raises(InvalidInput, match=r"4 examples .* Discord message content"):
        provenance.check(version)


def test_removed_rows_forbid_nothing(version):
    version.frozen_at = None
    version.edits.create(verb="remove")
    Example.objects.filter(position__lt=4).update(removed_by=version.edits.get())
    assert provenance.check(version)["rows"] == {"upload": 8}


def test_an_admin_records_the_permission_and_the_proof_holds_it(version):
    admin = UserFactory(admin=True)
    assert provenance.permit(version, permission=" Discord, letter of May 2 ", actor=admin) == 4

    proof = provenance.check(version)
    assert proof["rows"] == {"upload": 8, "discord_message": 4}
    assert "Discord, letter of May 2" in [each["permission"] for each in proof["sources"]]
    recorded = Provenance.objects.get(source=MESSAGE)
    assert (recorded.permitted_by, recorded.permitted_at is not None) == (admin, True)
    assert AuditEvent.objects.get(action="dataset.permit").detail["n_rows"] == 4


def test_a_trainer_may_not_permit_it(version):
    with pytest.raises(NotAllowed):
        provenance.permit(version, permission="I think it is fine", actor=UserFactory(trainer=True))
    with pytest.raises(InvalidInput):
        provenance.check(version)


@pytest.mark.parametrize("words", ["", "ok", "  yes  ", "a permission\x00 in writing"])
def test_a_permission_that_says_nothing_is_refused(version, words):
    with pytest.raises(InvalidInput, match="Say who permitted it"):
        provenance.permit(version, permission=words, actor=UserFactory(admin=True))
