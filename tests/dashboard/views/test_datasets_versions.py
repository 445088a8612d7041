"""The page of one version: a draft cleaned and frozen, compared, permitted."""

import pytest

from dashboard.models import AssistantSettings, DatasetVersion, Provenance
from dashboard.services import drafts
from tests.dashboard.views.importing import work
from tests.factories import DatasetFactory, DatasetVersionFactory, ExampleFactory, ProvenanceFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
EXAMINED = {
    "state": "done",
    "tokens": {
        "encoding": "o200k_base",
        "total": 2_000_000,
        "longest": 310,
        "histogram": [[0, 99, 4], [100, 199, 0], [200, 399, 8]],
    },
    "labels": {"counts": {"positive": 9, "negative": 3}, "said": "positive is 3 times as common."},
    "duplicates": {"exact": 2, "near": 1, "looked_among": 200_000},
    "private": {"rows": 3, "kinds": {"e-mail": 2, "phone": 1}},
    "lengths": {"short": 1, "long": 2, "low": 20.0, "high": 267.5},
    "sources": {"upload": 12},
}


def page_of(client, version) -> str:
    path = f"/datasets/{version.dataset_id}/?version={version.number}"
    return client.get(path).content.decode()


def base(version) -> str:
    return f"/datasets/{version.dataset_id}/versions/{version.number}/"


def test_what_was_found_is_told_and_leads_to_the_rows(trainer):
    version = DatasetVersionFactory(draft=True, summary=EXAMINED)

    page = page_of(trainer, version)

    for words in ("2 M", "o200k_base", "positive is 3 times", "e-mail", "shorter than 20 tokens"):
        assert words in page, words
    for query in ("marked=duplicate", "marked=private", "marked=short", "label=positive"):
        assert f"{base(version)}examples/?{query}" in page, query
    assert "Remove duplicates" in page
    assert page.count("<rect") == 3


def test_a_frozen_version_offers_no_cleaning_but_a_copy(trainer):
    page = page_of(trainer, DatasetVersionFactory(summary=EXAMINED))

    assert "Edit a copy" in page
    assert "Remove duplicates" not in page
    assert "Mask private data" not in page


def test_while_it_is_examined_the_page_follows_it(trainer):
    waiting = DatasetVersionFactory(summary={"state": "running", "step": "reading every example"})
    done = DatasetVersionFactory(summary=EXAMINED)

    assert "reading every example" in page_of(trainer, waiting)
    summary = trainer.get(f"{base(waiting)}summary/").content.decode()
    assert f'data-topics="dataset.{waiting.dataset_id}"' in summary
    assert "data-topics" not in trainer.get(f"{base(done)}summary/").content.decode()


def test_of_many_hands_the_first_are_listed_and_the_others_counted(trainer):
    version = DatasetVersionFactory()
    hands = [ProvenanceFactory(author=f"author {n}") for n in range(32)]
    ExampleFactory.create_batch(2, version=version, provenance=hands[0])
    for hand in hands[1:]:
        ExampleFactory(version=version, provenance=hand)

    page = trainer.get(f"{base(version)}sources/").content.decode()

    assert "author 28" in page
    assert "author 29" not in page
    assert '<span class="num">3</span> more sources' in page


@pytest.mark.parametrize(
    ("url", "price", "words"),
    [
        ("", None, "free on this machine"),
        ("https://api.openai.com/v1", None, "Settings"),
        ("https://api.openai.com/v1", "3", "6.00"),
    ],
    ids=["embedded", "no-price", "price"],
)
@pytest.mark.origin(25)
def test_what_a_training_costs_is_estimated(trainer, settings, url, price, words):
    settings.OPENAI_BASE_URL = url
    AssistantSettings.objects.create(pk=1, training_price=price)

    assert words in page_of(trainer, DatasetVersionFactory(summary=EXAMINED))


def test_a_draft_is_copied_from_a_frozen_version_and_frozen_again(trainer):
    version = DatasetVersionFactory()

    trainer.post(f"{base(version)}copy/")
    draft = version.dataset.versions.get(number=2)
    drafts.remove(draft, chosen=[0], actor=None)
    trainer.post(f"{base(draft)}freeze/", {"note": "Without the first one."})

    draft = DatasetVersion.objects.get(pk=draft.pk)
    assert not draft.is_draft
    assert (draft.parent, draft.note, draft.n_examples) == (version, "Without the first one.", 11)
    assert "Without the first one." in page_of(trainer, draft)


def test_freezing_can_lead_on_to_a_fine_tune(trainer):
    draft = DatasetVersionFactory(draft=True)

    response = trainer.post(f"{base(draft)}freeze/", {"then": "finetune"})

    assert response["Location"] == f"/fine-tuning/new/?dataset={draft.dataset_id}"


def test_a_frozen_version_cannot_be_frozen_or_discarded(trainer):
    version = DatasetVersionFactory()

    for act in ("freeze", "discard", "undo", "mask"):
        response = trainer.post(f"{base(version)}{act}/")
        assert response.status_code in (400, 409), act
        assert "frozen" in response.content.decode(), act


def test_a_discarded_draft_leaves_the_versions_before_it(trainer):
    version = DatasetVersionFactory()
    draft = drafts.copy(version, actor=None)

    response = trainer.post(f"{base(draft)}discard/", follow=True)

    assert "was discarded" in response.content.decode()
    assert response.context["version"] == version


def test_discarding_the_only_version_leads_to_the_list(trainer):
    draft = DatasetVersionFactory(draft=True)

    assert trainer.post(f"{base(draft)}discard/")["Location"] == "/datasets/"


def test_each_edit_is_told_and_taken_back_and_done_again(trainer):
    draft = DatasetVersionFactory(draft=True)
    drafts.remove(draft, chosen=[1, 2], actor=None)

    assert "Removed" in page_of(trainer, draft)
    trainer.post(f"{base(draft)}undo/")
    assert "taken back" in page_of(trainer, draft)
    trainer.post(f"{base(draft)}redo/")
    assert draft.examples.filter(removed_by=None).count() == 10


def test_duplicates_go_and_the_rest_stays(trainer):
    draft = DatasetVersionFactory(draft=True, n_examples=3)
    first = draft.examples.get(position=0)
    ExampleFactory(version=draft, position=3, record=first.record, provenance=first.provenance)

    trainer.post(f"{base(draft)}deduplicate/", {"near": "1"})
    work()

    kept = draft.examples.filter(removed_by=None).values_list("position", flat=True)
    assert list(kept) == [0, 1, 2]


def test_private_data_is_masked(trainer):
    draft = DatasetVersionFactory(draft=True, n_examples=0)
    messages = [
        {"role": "user", "content": "Write to ann@example.org."},
        {"role": "assistant", "content": "Done."},
    ]
    ExampleFactory(version=draft, position=0, record={"messages": messages})

    trainer.post(f"{base(draft)}mask/")
    work()

    assert "ann@example.org" not in str(draft.examples.get().record)


def test_a_split_is_made_and_shown(trainer):
    draft = DatasetVersionFactory(draft=True, n_examples=20)

    trainer.post(f"{base(draft)}split/", {"validation": "20", "test": "0", "seed": "7"})
    work()

    assert draft.examples.filter(part="validation").count() == 4
    page = page_of(trainer, draft)
    assert "Seed 7." in page
    assert "part=validation" in page


def test_a_split_that_leaves_nothing_to_train_on_is_refused(trainer):
    draft = DatasetVersionFactory(draft=True)

    response = trainer.post(f"{base(draft)}split/", {"validation": "60", "test": "40", "seed": "7"})

    assert response.status_code == 400
    assert "at least 5 per cent" in response.content.decode()


def test_two_versions_are_compared_word_by_word(trainer):
    version = DatasetVersionFactory()
    draft = drafts.copy(version, actor=None)
    record = draft.examples.get(position=2).record
    record["messages"][1]["content"] = "Room 2 is on floor nine."
    drafts.rewrite(draft.examples.get(position=2), record=record, actor=None)
    drafts.remove(draft, chosen=[5], actor=None)

    page = trainer.get(f"{base(draft)}changes/").content.decode()

    assert "<del" in page
    assert "<ins" in page
    assert "nine" in page
    assert "Where is room 5?" in page
    removed = trainer.get(f"{base(draft)}changes/?only=removed", headers=HTMX).content.decode()
    assert "nine" not in removed
    assert "Where is room 5?" in removed


@pytest.mark.parametrize("query", ["?against=99", "?against=x", "?after=damaged", "?only=nothing"])
def test_a_comparison_that_cannot_be_is_refused_in_words(trainer, query):
    dataset = DatasetFactory()
    DatasetVersionFactory(dataset=dataset, number=1)
    second = DatasetVersionFactory(dataset=dataset, number=2)

    assert trainer.get(f"{base(second)}changes/{query}").status_code in (400, 404)


def test_what_people_wrote_on_discord_needs_an_admin_who_records_a_permission(trainer, admin):
    version = DatasetVersionFactory()
    said = Provenance.objects.create(source="discord_message", author="ann")
    version.examples.filter(position__lt=3).update(provenance=said)
    words = {"permission": "Discord's letter of 12 March, case 4711"}

    seen = trainer.get(f"{base(version)}sources/").content.decode()
    short = admin.post(f"{base(version)}permit/", {"permission": "yes"}, headers=HTMX)
    taken = admin.post(f"{base(version)}permit/", words, headers=HTMX)

    assert "not permitted" in seen
    assert "Record the permission" not in seen
    assert short.status_code == 422
    assert "where that is written" in short.content.decode()
    assert taken["HX-Refresh"] == "true"
    said.refresh_from_db()
    assert said.permitted_by is not None
    assert "not permitted" not in trainer.get(f"{base(version)}sources/").content.decode()
