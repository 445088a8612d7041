"""What a checked file would cost, repeat and give away, told before it is imported."""

import json

import pytest

from dashboard.models import AssistantSettings, DatasetImport, DatasetVersion, Task
from dashboard.services import imports, tasks
from dashboard.services.imports.surveying import as_text
from tests.dashboard.imports.conftest import row

pytestmark = pytest.mark.django_db


def uploaded(*rows: object) -> DatasetImport:
    """A file all of whose bytes have come, and whose check has not begun."""
    content = "\n".join(json.dumps(each) for each in rows).encode()
    imported = imports.begin_upload(
        filename="rooms.jsonl", n_bytes=len(content), created_by=None, name="rooms"
    )
    imports.receive(imported, offset=0, pieces=[content])
    return imported


def step() -> None:
    assert tasks.run_next("the worker of a test")


def survey_of(imported: DatasetImport) -> dict[str, object]:
    imported.refresh_from_db()
    found: dict[str, object] = imported.report.get("survey", {})
    return found


def test_the_verdict_comes_first_and_the_survey_after_it():
    imported = uploaded(row(1), row(1), row(2))

    step()
    imported.refresh_from_db()
    assert imported.state == DatasetImport.State.CHECKED
    assert survey_of(imported)["state"] == "waiting"

    step()
    found = survey_of(imported)
    assert (found["state"], found["rows"], found["is_sample"]) == ("done", 3, False)
    assert found["duplicates"] == {"exact": 1, "compared": 3, "near": 0}
    assert found["tokens"]["total"] > 30


def test_a_price_in_settings_becomes_that_of_an_epoch(settings):
    settings.CHAT_BASE_URL = "https://api.example.org/v1"
    AssistantSettings.objects.create(pk=1, training_price="25.0")
    imported = uploaded(*map(row, range(4)))
    step()
    step()

    found = survey_of(imported)

    n_tokens = found["tokens"]["total"]
    assert float(found["price"]["one_epoch"]) == pytest.approx(25 * n_tokens / 1_000_000)


def test_an_import_that_began_is_not_surveyed_any_more():
    imported = uploaded(row(1), row(2))
    step()
    imported.refresh_from_db()
    imports.start_import(imported, name="rooms", actor=None)

    while tasks.run_next("the worker of a test"):
        pass

    assert DatasetVersion.objects.get().n_examples == 2
    survey = Task.objects.get(kind=imports.SURVEY)
    assert (survey.state, survey.result) == (Task.State.SUCCEEDED, {"state": "superseded"})


def test_a_survey_of_what_the_file_was_first_taken_for_is_dropped():
    imported = uploaded(row(1), row(2))
    step()
    old = Task.objects.get(kind=imports.SURVEY)
    imported.refresh_from_db()
    imports.choose(imported, file_format="chat-jsonl", options={})

    for _ in range(3):
        step()

    assert Task.objects.get(pk=old.pk).result == {"state": "superseded"}
    assert survey_of(imported)["state"] == "done"


def test_a_file_without_a_usable_row_is_not_surveyed():
    imported = uploaded({"messages": []})

    step()

    assert survey_of(imported) == {}
    assert not Task.objects.filter(kind=imports.SURVEY).exists()


def test_a_forgotten_file_ends_its_survey_quietly():
    imported = uploaded(row(1))
    step()
    imports.cancel(imported, actor=None)

    assert not tasks.run_next("the worker of a test")
    assert Task.objects.get(kind=imports.SURVEY).state == Task.State.CANCELLED


def test_the_words_say_what_is_counted_and_what_is_reckoned():
    found = {
        "rows": 1_000_000,
        "looked_at": 50_000,
        "is_sample": True,
        "tokens": {"total": 98_000_000, "encoding": "o200k_base"},
        "price": {"is_free": False, "one_epoch": "2450.00", "per_million": "25.0000"},
        "duplicates": {"exact": 12, "compared": 1_000_000, "near": 3},
        "private": {"rows": 7, "kinds": {"e-mail": 7}},
    }

    assert as_text(found) == [
        "Cost: about 98,000,000 tokens (o200k_base) an epoch, about 2,450.00 at 25 a million.",
        "Duplicates: 12 word for word, 3 nearly of a sample of 50,000 rows.",
        "Private data: in 7 rows of a sample of 50,000 rows (e-mail 7).",
    ]
