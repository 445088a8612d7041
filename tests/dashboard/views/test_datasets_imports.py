"""The page of one import: taken for what, what is wrong, and on to the version."""

import io

import openpyxl
import pytest

from dashboard.models import Dataset, DatasetImport, DatasetVersion
from tests.dashboard.views.importing import begin, given, line, lines, work

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
GOOD = line("When?", "At nine.").encode()


def page_of(client, imported, **headers: str) -> str:
    return client.get(f"/datasets/imports/{imported.key}/", headers=headers).content.decode()


def test_a_good_file_is_named_and_shown_before_anything_is_stored(trainer):
    imported = given(trainer, lines(12))

    page = page_of(trainer, imported)

    assert "Taken for: OpenAI chat data" in page
    assert "Where is room 0?" in page
    assert "On floor 0." in page
    assert not Dataset.objects.exists()


def test_an_upload_under_way_keeps_asking_and_a_checked_one_does_not(trainer):
    begin(trainer, 500)
    moving = DatasetImport.objects.get()
    checked = given(trainer, lines(3))

    assert f'data-topics="import.{moving.pk}"' in page_of(trainer, moving)
    assert f"import.{checked.pk}" not in page_of(trainer, checked)


def test_faults_are_told_by_line_errors_and_warnings_apart(trainer):
    imported = given(trainer, GOOD + b"\nno json\n" + GOOD + b'\n{"messages": []}')

    page = page_of(trainer, imported)

    assert "line 2" in page
    assert "line 4" in page
    errors = trainer.get(f"/datasets/imports/{imported.key}/problems/?only=error").content.decode()
    warnings = trainer.get(f"/datasets/imports/{imported.key}/problems/?only=warning")
    assert "line 2" in errors
    assert "line 2" not in warnings.content.decode()


def test_a_problem_leads_to_its_line_of_the_file(trainer):
    imported = given(trainer, GOOD + b'\n{"messages": [}')
    path = f"/datasets/imports/{imported.key}/excerpt/"
    column = imported.report["problems"][0]["column"]

    page = trainer.get(f"{path}?line=2&column={column}").content.decode()

    assert "&quot;messages&quot;: [" in page
    assert ">}</mark>" in page


@pytest.mark.parametrize("query", ["?line=99", "?line=x&column=-1", "", "?line=1&place=../../etc"])
def test_a_line_that_is_not_there_is_said_to_be_none(trainer, query):
    imported = given(trainer, GOOD)

    response = trainer.get(f"/datasets/imports/{imported.key}/excerpt/{query}")

    assert response.status_code == 200
    assert "root:" not in response.content.decode()


def test_many_problems_come_page_by_page(trainer):
    imported = given(trainer, b"\n".join([GOOD, *[b"no json"] * 120]))
    path = f"/datasets/imports/{imported.key}/problems/"

    first = trainer.get(path).context["found"]
    second = trainer.get(f"{path}?after={first.after}").context["found"]
    back = trainer.get(f"{path}?before={second.before}").context["found"]

    assert [len(first.rows), len(second.rows)] == [50, 50]
    assert first.before == ""
    assert [row["line"] for row in back.rows] == [row["line"] for row in first.rows]


def test_a_file_becomes_a_draft_and_its_page_opens(trainer):
    imported = given(trainer, lines(12))

    trainer.post(
        f"/datasets/imports/{imported.key}/start/",
        {"name": "rooms", "source": "upload", "licence": "CC0-1.0", "draft": "1"},
    )
    work()

    version = DatasetVersion.objects.get()
    assert (version.dataset.name, version.is_draft, version.n_examples) == ("rooms", True, 12)
    assert version.examples.first().provenance.licence == "CC0-1.0"
    followed = trainer.get(f"/datasets/imports/{imported.key}/progress/", headers=HTMX)
    assert followed["HX-Redirect"] == f"/datasets/{version.dataset_id}/?version=1"


def test_a_file_can_be_frozen_at_once(trainer):
    imported = given(trainer, lines(12))

    form = {"name": "rooms", "source": "upload", "freeze": "1"}
    trainer.post(f"/datasets/imports/{imported.key}/start/", form)
    work()

    assert not DatasetVersion.objects.get().is_draft


def test_faulty_rows_are_left_out_only_when_that_is_ticked(trainer):
    imported = given(trainer, lines(11) + b"\nno json")
    path = f"/datasets/imports/{imported.key}/start/"
    form = {"name": "rooms", "source": "upload"}

    refused = trainer.post(path, form)
    trainer.post(path, form | {"skip_faulty": "on"})
    work()

    assert refused.status_code == 422
    assert "Line 12" in refused.content.decode()
    assert DatasetVersion.objects.get().n_examples == 11


def test_a_dataset_without_a_name_is_refused_and_the_rest_stays(trainer):
    imported = given(trainer, lines(3))

    response = trainer.post(
        f"/datasets/imports/{imported.key}/start/",
        {"name": " ", "source": "upload", "licence": "MIT"},
    )

    assert response.status_code == 422
    assert 'value="MIT"' in response.content.decode()


def test_the_columns_of_a_table_are_named_by_a_person(trainer):
    table = "frage,antwort\n" + "".join(f"Wo ist {n}?,Im Stock {n}.\n" for n in range(12))
    imported = given(trainer, table.encode(), filename="rooms.csv")
    page = page_of(trainer, imported)
    assert "Which column is what?" in page
    assert "frage: Wo ist 0?" in page

    trainer.post(
        f"/datasets/imports/{imported.key}/choose/",
        {"file_format": "table", "column_prompt": "frage", "column_completion": "antwort"},
    )
    work()

    imported.refresh_from_db()
    assert imported.options["mapping"] == {"prompt": "frage", "completion": "antwort"}
    assert imported.report["n_examples"] == 12


PAIRS = "anliegen,besser,schlechter\n" + "".join(
    f"Wo ist {n}?,Im Stock {n}.,Irgendwo.\n" for n in range(12)
)


def test_two_answers_have_their_question_in_the_same_group(trainer):
    imported = given(trainer, PAIRS.encode(), filename="pairs.csv")
    columns = {
        "column_asked": "anliegen",
        "column_chosen": "besser",
        "column_rejected": "schlechter",
    }

    path = f"/datasets/imports/{imported.key}/choose/"
    trainer.post(path, {"file_format": "table", **columns})
    work()

    imported.refresh_from_db()
    assert imported.options["mapping"] == {
        "prompt": "anliegen",
        "chosen": "besser",
        "rejected": "schlechter",
    }
    assert imported.report["n_examples"] == 12
    form = trainer.get(f"/datasets/imports/{imported.key}/").context["choose_form"]
    assert form["column_asked"].value() == "anliegen"
    assert not form["column_prompt"].value()


def test_two_questions_at_once_are_refused_in_words(trainer):
    imported = given(trainer, PAIRS.encode(), filename="pairs.csv")
    columns = {
        "column_prompt": "anliegen",
        "column_asked": "besser",
        "column_chosen": "besser",
        "column_rejected": "schlechter",
    }

    response = trainer.post(
        f"/datasets/imports/{imported.key}/choose/", {"file_format": "table", **columns}
    )

    assert response.status_code == 422
    assert "Two questions are chosen" in response.content.decode()


def test_a_huge_row_is_shown_in_part_and_imported_whole(trainer):
    imported = given(trainer, line("When?", "At nine. " * 200_000).encode())

    assert len(str(imported.detected)) < 20_000
    assert "(1,800,000 characters)" in page_of(trainer, imported)
    trainer.post(f"/datasets/imports/{imported.key}/start/", {"name": "a", "source": "upload"})
    work()
    record = DatasetVersion.objects.get().examples.get().record
    assert len(record["messages"][1]["content"]) == 1_800_000


def test_what_a_file_would_bring_is_shown_before_it_is_imported(trainer):
    rows = [line("Ask ada@example.org?", "At nine."), *[GOOD.decode()] * 3]
    imported = given(trainer, "\n".join(rows).encode())

    page = page_of(trainer, imported)

    assert "What it would bring" in page
    assert "Tokens in one epoch" in page
    assert "e-mail" in page
    assert "Counted in every row." in page
    assert f'hx-get="/datasets/imports/{imported.key}/survey/"' not in page


def test_the_page_asks_on_while_the_survey_is_under_way(trainer):
    imported = given(trainer, lines(3))
    imported.report["survey"] = {"state": "waiting", "task": 1}
    imported.save()

    part = trainer.get(f"/datasets/imports/{imported.key}/survey/").content.decode()

    assert f'data-topics="import.{imported.pk}"' in part
    assert "You need not wait for it." in part


def test_rows_become_what_a_person_said_they_are(trainer):
    """They became conversations once, since the file itself did not tell."""
    table = "artikel;urteil\n" + "".join(
        f"Lampe {n};{'gut' if n % 2 else 'schlecht'}\n" for n in range(12)
    )
    imported = given(trainer, table.encode(), filename="lamps.csv")
    columns = {"column_text": "artikel", "column_label": "urteil"}

    trainer.post(f"/datasets/imports/{imported.key}/choose/", {"file_format": "table", **columns})
    work()
    assert "Lampe 0" in page_of(trainer, imported)
    trainer.post(f"/datasets/imports/{imported.key}/start/", {"name": "lamps", "source": "upload"})
    work()

    version = DatasetVersion.objects.get()
    assert version.kind == "labelled"
    assert version.examples.get(position=1).label == "gut"


def test_another_sheet_of_a_workbook_has_columns_of_its_own(trainer):
    book = openpyxl.Workbook()
    book.active.append(["nothing", "here"])
    second = book.create_sheet("Data")
    for row in [["anliegen", "erwiderung"], *[[f"Wo ist {n}?", f"Dort {n}."] for n in range(12)]]:
        second.append(row)
    content = io.BytesIO()
    book.save(content)
    imported = given(trainer, content.getvalue(), filename="rooms.xlsx")
    path = f"/datasets/imports/{imported.key}/choose/"

    trainer.post(path, {"file_format": "table", "sheet": "Data"})
    work()
    assert "anliegen: Wo ist 0?" in page_of(trainer, imported)
    columns = {"column_prompt": "anliegen", "column_completion": "erwiderung"}
    trainer.post(path, {"file_format": "table", "sheet": "Data", **columns})
    work()

    imported.refresh_from_db()
    assert imported.report["n_examples"] == 12


def test_a_format_that_is_none_is_refused(trainer):
    imported = given(trainer, lines(3))

    response = trainer.post(
        f"/datasets/imports/{imported.key}/choose/", {"file_format": "nonsense"}
    )

    assert response.status_code == 422


def test_the_rules_of_an_endpoint_can_be_chosen(trainer):
    imported = given(trainer, lines(3))

    trainer.post(
        f"/datasets/imports/{imported.key}/choose/",
        {"file_format": "chat-jsonl", "target": "openai"},
    )
    work()

    imported.refresh_from_db()
    assert imported.target == "openai"
    assert not imported.report["ok"], "OpenAI asks for ten examples"


def test_cancelling_leaves_nothing_and_says_so(trainer):
    imported = given(trainer, lines(3))

    response = trainer.post(f"/datasets/imports/{imported.key}/cancel/", follow=True)

    assert "You stopped it." in response.content.decode()
    assert not Dataset.objects.exists()


def test_what_is_on_its_way_is_shown_above_the_list(trainer):
    begin(trainer, 1000, filename="half.jsonl")
    given(trainer, lines(3), filename="whole.jsonl")

    page = trainer.get("/datasets/").content.decode()

    assert "half.jsonl" in page
    assert "Uploading" in page
    assert "Ready to import" in page


def test_words_of_a_file_are_shown_as_words(trainer):
    imported = given(trainer, line("<script>alert(1)</script>", "<img src=x>").encode())

    page = page_of(trainer, imported)

    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_a_file_that_is_nothing_we_know_says_so(trainer):
    imported = given(trainer, bytes(range(256)) * 4, filename="photo.jpg")

    page = page_of(trainer, imported)

    assert "cannot be told what this file is" in page
    assert "Import as a draft" not in page


def test_job_ids_of_the_original_bot_are_kept_by_their_own_button(trainer):
    imported = given(trainer, b'{"ftjob-1": "first try"}', filename="job_ids.json")
    assert "Keep these job ids" in page_of(trainer, imported)

    response = trainer.post(f"/datasets/imports/{imported.key}/jobs/", follow=True)

    page = response.content.decode()
    assert "1 job ids were new" in page
    assert "first try" in page


def test_a_file_of_examples_is_not_kept_as_job_ids(trainer):
    imported = given(trainer, GOOD)
    response = trainer.post(f"/datasets/imports/{imported.key}/jobs/")
    assert response.status_code == 409
