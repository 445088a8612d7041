"""Files coming in by the browser: whole by a form, or in pieces by the tus protocol."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dashboard.models import Dataset, DatasetImport
from dashboard.services.access import Role
from tests.dashboard.views.importing import (
    TUS,
    begin,
    file_of,
    line,
    lines,
    offset_of,
    send,
    send_all,
    work,
)
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def test_without_scripts_a_form_takes_the_file_and_leads_to_its_page(trainer):
    file = file_of(line("When?", "At nine."))

    response = trainer.post("/datasets/upload/", {"name": "hours", "file": file}, follow=True)

    imported = DatasetImport.objects.get()
    assert response.redirect_chain == [(f"/datasets/imports/{imported.key}/", 302)]
    assert (imported.filename, imported.name, imported.state) == (
        "opening hours.jsonl",
        "hours",
        "received",
    )
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (None, "This field is required."),
        (SimpleUploadedFile("x.jsonl", b""), "empty"),
        (file_of(line("a", "b")), "over the limit"),
    ],
    ids=["no-file", "empty", "too-large"],
)
def test_what_cannot_be_taken_is_refused_in_words(trainer, settings, file, words):
    settings.MAX_UPLOAD_BYTES = 10

    response = trainer.post("/datasets/upload/", {"file": file} if file else {})

    assert response.status_code == 422
    assert words in response.content.decode()
    assert not DatasetImport.objects.exists()


def test_the_protocol_tells_what_it_can(trainer):
    response = trainer.options("/datasets/uploads/")

    assert response.status_code == 204
    assert response["Tus-Version"] == "1.0.0"
    assert response["Tus-Extension"] == "creation,termination"
    assert int(response["Tus-Max-Size"]) > 0


def test_an_upload_in_pieces_is_checked_when_the_last_one_has_come(trainer):
    content = lines(50)
    address = begin(trainer, len(content), filename="Räume.jsonl", name="rooms")

    send_all(trainer, address, [content[:100], content[100:1000], content[1000:]])
    work()

    imported = DatasetImport.objects.get()
    assert imported.state == "checked"
    assert (imported.filename, imported.name) == ("Räume.jsonl", "rooms")
    assert imported.report["n_examples"] == 50


def test_a_sender_that_lost_its_connection_is_told_where_to_go_on(trainer):
    content = lines(9)
    address = begin(trainer, len(content))
    send(trainer, address, content[:70])

    response = trainer.head(address, headers=TUS)

    assert response["Upload-Offset"] == "70"
    assert response["Upload-Length"] == str(len(content))
    assert response["Cache-Control"] == "no-store"
    assert response["Import-Page"].startswith("/datasets/imports/")


def test_a_piece_for_another_place_is_refused_and_changes_nothing(trainer):
    address = begin(trainer, 500)
    send(trainer, address, b"x" * 100)

    assert send(trainer, address, b"y" * 100, offset=40) == 409
    assert offset_of(trainer, address) == 100


def test_more_bytes_than_were_announced_are_refused(trainer):
    address = begin(trainer, 5)

    assert send(trainer, address, b"123456") == 400


@pytest.mark.parametrize("length", ["", "-1", "ten", "0", "9" * 40])
def test_a_length_that_is_none_begins_nothing(trainer, length):
    response = trainer.post("/datasets/uploads/", headers={**TUS, "Upload-Length": length})

    assert response.status_code == 400
    assert response.json()["problem"]
    assert not DatasetImport.objects.exists()


def test_another_version_of_the_protocol_is_refused_with_ours(trainer):
    response = trainer.post("/datasets/uploads/", headers={"Upload-Length": "5"})

    assert response.status_code == 412
    assert response["Tus-Version"] == "1.0.0"


def test_only_the_bytes_of_the_protocol_are_taken(trainer):
    address = begin(trainer, 5)

    response = trainer.patch(
        address, b"12345", content_type="text/plain", headers={**TUS, "Upload-Offset": "0"}
    )

    assert response.status_code == 415


def test_an_upload_that_is_taken_back_is_gone(trainer):
    address = begin(trainer, 500)

    assert trainer.delete(address, headers=TUS).status_code == 204
    assert trainer.head(address, headers=TUS).status_code == 410


def test_nobody_goes_on_with_the_upload_of_somebody_else(trainer, reader):
    address = begin(trainer, 500)

    assert reader(Role.TRAINER).head(address, headers=TUS).status_code == 404
    assert send(reader(Role.ADMIN), address, b"mine") == 404


def test_damaged_metadata_leaves_a_file_without_its_name(trainer):
    headers = {**TUS, "Upload-Length": "5", "Upload-Metadata": "filename !!!,,name"}

    assert trainer.post("/datasets/uploads/", headers=headers).status_code == 201
    assert DatasetImport.objects.get().filename == "file"


def test_a_piece_without_its_token_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(admin=True))

    response = client.post("/datasets/uploads/", headers={**TUS, "Upload-Length": "5"})

    assert response.status_code == 403
    assert not DatasetImport.objects.exists()


def test_a_piece_far_larger_than_what_forms_may_hold_passes(trainer, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    content = lines(100)
    address = begin(trainer, len(content))

    assert send(trainer, address, content) == 204
