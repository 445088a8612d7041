"""Files that are kept for a while, and how much is kept at all."""

import asyncio
import contextlib

import pytest

from tests.trainerbot.modelserver.inprocess import in_process
from trainerbot.errors import NotFound
from trainerbot.modelserver.api.app import tell_of_death
from trainerbot.modelserver.filestore import QuotaExceeded
from trainerbot.modelserver.store import Store
from trainerbot.modelserver.sweeping import keep_sweeping


@pytest.fixture
def store(tmp_path):
    with contextlib.closing(Store(tmp_path)) as opened:
        yield opened


def kept(store: Store, content: bytes, *, for_s: int | None) -> str:
    draft = store.blobs.write(content)
    return store.add_file(draft, filename="a", purpose="vision", expires_after_s=for_s).id


def test_the_sdk_says_how_long_a_file_is_kept(client):
    file = client.files.create(
        file=b"x", purpose="vision", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    for_ever = client.files.create(file=b"x", purpose="vision")

    assert file.expires_at == file.created_at + 3600
    assert client.files.retrieve(file.id).expires_at == file.expires_at
    assert "expires_at" not in for_ever.to_dict()


def test_a_batch_file_is_kept_a_month_as_at_openai(client):
    file = client.files.create(file=("b.jsonl", b"{}"), purpose="batch")

    assert file.expires_at == file.created_at + 30 * 24 * 3600


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"expires_after[anchor]": "created_at"}, "expires_after.seconds"),
        ({"expires_after[seconds]": "3600"}, "expires_after.anchor"),
        *(
            (
                {"expires_after[anchor]": "created_at", "expires_after[seconds]": seconds},
                "expires_after.seconds",
            )
            for seconds in ("3599", "2592001", "-1", "1e9", "٣٦٠٠", "9" * 500, "")
        ),
        (
            {"expires_after[anchor]": "last_used", "expires_after[seconds]": "3600"},
            "expires_after.anchor",
        ),
    ],
)
def test_a_wrong_time_to_keep_is_refused(tmp_path, fields, param):
    with in_process(tmp_path) as server:
        reply = server.send_form(
            "/v1/files", {"purpose": "vision", **fields}, name="file", content=b"x"
        )

        assert (reply.status, reply.error["param"]) == (400, param)
        assert server.leftovers() == []


def test_an_expired_file_is_gone_before_it_is_swept(store):
    gone, stays = kept(store, b"a", for_s=0), kept(store, b"b", for_s=60)

    with pytest.raises(NotFound):
        store.file(gone)
    with pytest.raises(NotFound):
        store.delete_file(gone)
    assert [file.id for file in store.files().rows] == [stays]


def test_sweeping_takes_the_bytes_but_not_a_twins(store):
    kept(store, b"alone", for_s=0)
    kept(store, b"shared", for_s=0)
    twin = kept(store, b"shared", for_s=None)

    assert store.expire_files() == 2

    (blob,) = store.blobs.path("x").parent.iterdir()
    assert blob.read_bytes() == b"shared"
    assert store.blobs.path(store.file(twin).sha256) == blob


async def test_a_server_sweeps_as_soon_as_it_starts(store):
    kept(store, b"a", for_s=0)
    sweeping = asyncio.create_task(keep_sweeping(store))

    # A sweep tells nobody that it is done.
    while list(store.blobs.path("x").parent.iterdir()):  # noqa: ASYNC110 - as said above
        await asyncio.sleep(0.005)

    sweeping.cancel()
    assert store.expire_files() == 0


def test_all_files_together_have_a_limit(tmp_path):
    with contextlib.closing(Store(tmp_path, max_stored_bytes=10)) as store:
        first = kept(store, b"123456", for_s=None)
        with pytest.raises(QuotaExceeded, match="exceeded your file storage quota"):
            kept(store, b"12345", for_s=None)
        store.delete_file(first)

        assert store.file(kept(store, b"1234567890", for_s=None))


def test_what_exceeds_the_limit_leaves_nothing_behind(tmp_path):
    with in_process(tmp_path, stored=10) as server:
        reply = server.send_form("/v1/files", {"purpose": "vision"}, name="file", content=b"x" * 11)

        assert (reply.status, reply.error["code"]) == (403, "exceeded_quota")
        assert server.leftovers() == []


def test_a_file_that_is_deleted_while_it_is_asked_for_is_not_found(tmp_path):
    with in_process(tmp_path) as server:
        file_id = kept(server.store, b"a", for_s=None)
        server.store.blobs.path(server.store.file(file_id).sha256).unlink()

        reply = server.send("GET", f"/v1/files/{file_id}/content")

        assert (reply.status, reply.error["param"]) == (404, "id")


async def test_a_sweeper_that_dies_is_said_in_the_log(store, caplog):
    store.close()
    sweeping = asyncio.create_task(keep_sweeping(store), name="sweeper")
    sweeping.add_done_callback(tell_of_death)

    await asyncio.wait([sweeping])
    await asyncio.sleep(0)

    assert "The sweeper died" in caplog.text
