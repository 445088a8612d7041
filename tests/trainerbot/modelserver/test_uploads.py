"""/v1/uploads: a file in parts."""

import dataclasses
import hashlib

import openai
import pytest
from openai.types import Upload
from openai.types.uploads import UploadPart
from starlette.applications import Starlette

from tests.trainerbot.modelserver.inprocess import MIB, InProcess, in_process
from trainerbot.modelserver.api import uploads
from trainerbot.modelserver.api.errors import HANDLERS
from trainerbot.modelserver.store import Store


@pytest.fixture
def here(tmp_path):
    with in_process(tmp_path) as running:
        yield running


def created(here: InProcess, n_bytes: int = 6, **change: object) -> str:
    request = {"bytes": n_bytes, "filename": "a.jsonl", "mime_type": "text/jsonl"}
    reply = here.send_json("POST", "/v1/uploads", {**request, "purpose": "fine-tune", **change})
    assert reply.status == 200, reply.body
    upload_id: str = reply.json["id"]
    return upload_id


def sent(here: InProcess, upload_id: str, content: bytes) -> str:
    reply = here.send_form(f"/v1/uploads/{upload_id}/parts", {}, name="data", content=content)
    assert reply.status == 200, reply.body
    part_id: str = reply.json["id"]
    return part_id


def completed(here: InProcess, upload_id: str, *part_ids: str, **more: object):
    return here.send_json(
        "POST", f"/v1/uploads/{upload_id}/complete", {"part_ids": part_ids, **more}
    )


def test_the_sdk_sends_a_file_in_parts_and_gets_it_back_whole(client: openai.OpenAI):
    content = bytes(range(256)) * 30

    upload = client.uploads.upload_file_chunked(
        file=content,
        filename="big.jsonl",
        bytes=len(content),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=1000,
        md5=hashlib.md5(content).hexdigest(),
    )

    Upload.model_validate(upload.to_dict(), strict=True)
    assert (upload.status, upload.expires_at - upload.created_at) == ("completed", 3600)
    assert upload.file is not None
    assert (upload.file.bytes, upload.file.filename) == (len(content), "big.jsonl")
    assert client.files.content(upload.file.id).content == content


def test_parts_are_joined_in_the_order_that_the_end_names(here):
    upload_id = created(here)
    first, second = sent(here, upload_id, b"abc"), sent(here, upload_id, b"def")

    reply = completed(here, upload_id, second, first)

    file = here.store.file(reply.json["file"]["id"])
    assert here.store.blobs.path(file.sha256).read_bytes() == b"defabc"
    assert here.leftovers() == []


def test_a_part_is_told_as_openai_tells_it(here):
    upload_id = created(here)

    reply = here.send_form(f"/v1/uploads/{upload_id}/parts", {}, name="data", content=b"abc")

    UploadPart.model_validate(reply.json, strict=True)
    assert reply.json["upload_id"] == upload_id


def test_the_file_of_an_upload_expires_when_it_was_asked_to(here):
    upload_id = created(here, expires_after={"anchor": "created_at", "seconds": 7200})

    file = completed(here, upload_id, sent(here, upload_id, b"abcdef")).json["file"]

    assert file["expires_at"] - file["created_at"] == 7200


@pytest.mark.parametrize(
    ("part_ids", "more", "complaint"),
    [
        (["first"], {}, "hold 3 bytes, but the upload was created for 6"),
        (["first", "second", "part_no"], {}, "has no part part_no"),
        (["first", "first"], {}, "can be in 'part_ids' once"),
        (["first", "second"], {"md5": "0" * 32}, "MD5 checksum"),
    ],
)
def test_an_end_that_does_not_fit_is_refused_and_the_upload_goes_on(
    here, part_ids, more, complaint
):
    upload_id = created(here)
    ids = {"first": sent(here, upload_id, b"abc"), "second": sent(here, upload_id, b"def")}

    reply = completed(here, upload_id, *(ids.get(name, name) for name in part_ids), **more)

    assert (reply.status, complaint in reply.error["message"]) == (400, True)
    assert completed(here, upload_id, *ids.values()).status == 200
    assert here.leftovers() == []


def test_a_cancelled_upload_leaves_nothing_and_takes_no_more(here):
    upload_id = created(here)
    part_id = sent(here, upload_id, b"abc")

    reply = here.send("POST", f"/v1/uploads/{upload_id}/cancel")

    assert reply.json["status"] == "cancelled"
    assert list((here.folder / "blobs").iterdir()) == []
    for again in (
        completed(here, upload_id, part_id),
        here.send("POST", f"/v1/uploads/{upload_id}/cancel"),
        here.send_form(f"/v1/uploads/{upload_id}/parts", {}, name="data", content=b"x"),
    ):
        assert (again.status, "already cancelled" in again.error["message"]) == (400, True)


def test_an_upload_that_nobody_ends_is_over_after_its_time(here):
    made = here.store.add_upload(
        filename="a", purpose="vision", mime_type="", n_bytes=3, file_expires_after_s=None, life_s=0
    )

    late = here.send_form(f"/v1/uploads/{made.id}/parts", {}, name="data", content=b"abc")

    assert (late.status, "has expired" in late.error["message"]) == (400, True)
    assert here.store.expire_uploads() == 1
    assert here.store.upload(made.id).status == "expired"
    assert here.leftovers() == []


def test_the_parts_of_an_expired_upload_go_with_it(here, tmp_path):
    upload_id = created(here)
    sent(here, upload_id, b"abc")
    here.store._db.execute("UPDATE uploads SET expires_at = 0")

    here.store.expire_uploads()

    assert list((tmp_path / "blobs").iterdir()) == []


def test_parts_survive_a_restart(tmp_path):
    with in_process(tmp_path) as here:
        upload_id = created(here)
        first = sent(here, upload_id, b"abc")
    with in_process(tmp_path) as here:
        second = sent(here, upload_id, b"def")

        assert completed(here, upload_id, first, second).status == 200


def test_an_upload_over_the_limit_is_refused_at_once(here):
    request = {"bytes": 10 * 1024 * MIB, "filename": "a", "mime_type": "x", "purpose": "vision"}

    reply = here.send_json("POST", "/v1/uploads", request)

    assert (reply.status, reply.error["code"]) == (413, "file_too_large")
    assert reply.error["message"] == "File size limit exceeded. Limit is 100 MB."


def test_a_part_over_the_limit_is_refused_before_its_first_byte_and_at_the_first_too_many(here):
    upload_id = created(here, n_bytes=99 * MIB)
    path = f"/v1/uploads/{upload_id}/parts"
    small_parts = Starlette(
        routes=uploads.routes(here.store, max_upload_bytes=99 * MIB, max_part_bytes=MIB),
        exception_handlers=dict(HANDLERS),
    )
    form = {"content-type": "multipart/form-data; boundary=x"}

    announced = here.send("POST", path, headers={**form, "content-length": str(65 * MIB)})
    came = dataclasses.replace(here, app=small_parts).send_form(
        path, {}, name="data", content=bytes(MIB + 1), chunks=64
    )

    assert announced.status == came.status == 413
    assert announced.error["message"] == "File size limit exceeded. Limit is 64 MB."
    assert here.leftovers() == []


def test_no_more_than_twice_the_promised_bytes_are_kept(here):
    upload_id = created(here, n_bytes=3)
    sent(here, upload_id, b"abc")
    sent(here, upload_id, b"abc")

    reply = here.send_form(f"/v1/uploads/{upload_id}/parts", {}, name="data", content=b"x")

    assert (reply.status, "hold more than the 3 bytes" in reply.error["message"]) == (400, True)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"bytes": -1}, "bytes"),
        ({"bytes": "6"}, "bytes"),
        ({"purpose": "mischief"}, "purpose"),
        ({"filename": "a.csv"}, "file"),
        ({"mime_type": "x" * 300}, "mime_type"),
        ({"expires_after": {"anchor": "now", "seconds": 3600}}, "expires_after.anchor"),
        ({"expires_after": {"anchor": "created_at", "seconds": 60}}, "expires_after.seconds"),
        ({"expires_after": {"anchor": "created_at"}}, "expires_after.seconds"),
    ],
)
def test_a_wrong_upload_is_refused(here, change, param):
    request = {"bytes": 6, "filename": "a.jsonl", "mime_type": "x", "purpose": "fine-tune"}

    reply = here.send_json("POST", "/v1/uploads", {**request, **change})

    assert (reply.status, reply.error["param"]) == (400, param)


def test_an_unknown_upload_is_not_found(here):
    for reply in (
        completed(here, "upload_no"),
        here.send("POST", "/v1/uploads/upload_no/cancel"),
        here.send_form("/v1/uploads/upload_no/parts", {}, name="data", content=b"x"),
    ):
        assert (reply.status, reply.error["message"]) == (
            404,
            "No such Upload object: upload_no",
        )


def test_a_part_that_vanishes_while_it_is_joined_ends_the_completion_in_words(here):
    upload_id = created(here)
    part_id = sent(here, upload_id, b"abcdef")
    store: Store = here.store
    next((here.folder / "blobs").iterdir()).unlink()  # as a cancel beside it would

    reply = completed(here, upload_id, part_id)

    assert (reply.status, "was ended while" in reply.error["message"]) == (400, True)
    assert store.files().rows == []
