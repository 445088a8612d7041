"""/v1/files, through the real SDK."""

import io
import socket
from pathlib import Path

import httpx2
import openai
import pytest
from openai.types import FileObject

from tests.trainerbot.modelserver.running import RunningServer
from tests.trainerbot.modelserver.training_data import capitals


def upload(
    client: openai.OpenAI, content: bytes, *, name: str = "a.jsonl", purpose: str = "fine-tune"
) -> FileObject:
    return client.files.create(file=(name, io.BytesIO(content)), purpose=purpose)  # type: ignore[arg-type]  # also wrong purposes


def test_an_uploaded_file_comes_back_byte_for_byte(client):
    content = capitals()

    file = upload(client, content, name="города.jsonl")

    FileObject.model_validate(file.to_dict(), strict=True)
    assert (file.bytes, file.filename, file.purpose) == (len(content), "города.jsonl", "fine-tune")
    assert client.files.retrieve(file.id) == file
    assert client.files.content(file.id).content == content


def test_a_file_of_many_chunks_is_stored_whole(client):
    content = bytes(range(256)) * 20_000

    file = upload(client, content, name="b.bin", purpose="user_data")

    assert client.files.content(file.id).content == content


def test_lists_are_paged_ordered_and_filtered(client):
    made = [upload(client, b"x" * n, name="c.txt", purpose="assistants").id for n in range(1, 6)]

    newest_first = [file.id for file in client.files.list(purpose="assistants", limit=2)]
    oldest_first = [
        file.id for file in client.files.list(purpose="assistants", limit=2, order="asc")
    ]
    after = client.files.list(purpose="assistants", after=made[2], order="asc", limit=1)

    assert newest_first == made[::-1]
    assert oldest_first == made
    assert ([file.id for file in after.data], after.has_more) == ([made[3]], True)


def test_a_deleted_file_is_gone_and_its_twin_stays(client):
    gone, twin = (
        upload(client, b"same" * 5, name="d.jsonl"),
        upload(client, b"same" * 5, name="d.jsonl"),
    )

    deleted = client.files.delete(gone.id)

    assert (deleted.id, deleted.deleted) == (gone.id, True)
    assert client.files.content(twin.id).content == b"same" * 5
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError, match=f"No such File object: {gone.id}") as caught:
            call(gone.id)
        assert caught.value.param == "id"


@pytest.mark.parametrize(
    ("content", "name", "purpose", "complaint"),
    [
        (b"", "a.jsonl", "fine-tune", "The file is empty"),
        (b"x", "a.csv", "fine-tune", r"Must be \.jsonl"),
        (b"x", "a.jsonl", "mischief", "'mischief' is not one of"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(client, content, name, purpose, complaint):
    with pytest.raises(openai.BadRequestError, match=complaint):
        upload(client, content, name=name, purpose=purpose)


def test_a_file_name_never_carries_a_path(client):
    file = upload(client, b"x", name="../../etc/C:\\evil\\passwd.jsonl")

    assert file.filename == "passwd.jsonl"


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=x", "limit=10001", "order=up", "after=file-no"]
)
def test_a_wrong_query_is_refused(server, query):
    answer = httpx2.get(
        f"{server.url}/v1/files?{query}", headers={"Authorization": f"Bearer {server.key}"}
    )

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("content_type", "body", "complaint"),
    [
        ("application/json", b"{}", "multipart/form-data"),
        ("multipart/form-data", b"", "multipart/form-data"),
        ("multipart/form-data; boundary=x", b"nothing", "Could not parse multipart form"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\n", "Could not parse multipart form"),
        ("multipart/form-data; boundary=x", b"--x--\r\n", "'file' is a required property"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nhi\r\n--x--',
            "'purpose' is a required property",
        ),
    ],
)
def test_a_malformed_form_is_refused_and_leaves_nothing(server, content_type, body, complaint):
    headers = {"Authorization": f"Bearer {server.key}", "Content-Type": content_type}

    answer = httpx2.post(f"{server.url}/v1/files", content=body, headers=headers)

    assert answer.status_code == 400
    assert complaint in answer.json()["error"]["message"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("small"), "--max-file-mib", "1") as running:
        yield running


def test_a_file_over_the_limit_is_refused_before_and_while_it_comes(small):
    with pytest.raises(openai.APIStatusError, match="Limit is 1 MB") as announced:
        upload(small.client, b"x" * 3_000_000)

    def unannounced():
        yield b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield b"x" * 65536
        yield b"\r\n--x--"

    answer = httpx2.post(
        f"{small.url}/v1/files",
        content=unannounced(),
        headers={
            "Authorization": f"Bearer {small.key}",
            "Content-Type": "multipart/form-data; boundary=x",
        },
    )

    assert announced.value.status_code == answer.status_code == 413
    assert small.client.files.list().data == []


def test_half_an_upload_is_no_file(tmp_path):
    with RunningServer(tmp_path) as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as half:
            half.sendall(
                b"POST /v1/files HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n"
                b"Authorization: Bearer test-key\r\n"
                b"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
                b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
                + b"x"
                * 2_000_000
            )
            wait_for(lambda: files_in(tmp_path / "drafts"))
        wait_for(lambda: not files_in(tmp_path / "drafts"))

        assert server.client.files.list().data == []
        assert files_in(tmp_path / "blobs") == []


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def wait_for(true) -> None:
    import time

    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.skipif("sys.platform == 'win32'", reason="Windows has no such limit")
def test_a_full_disk_is_said_in_words_and_stores_nothing(tmp_path):
    import resource

    def limit_file_size():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    with RunningServer(tmp_path, preexec_fn=limit_file_size) as server:
        with pytest.raises(openai.InternalServerError, match=r"disk .* is full") as caught:
            upload(server.client, b"x" * 3_000_000)

        assert (caught.value.status_code, caught.value.code) == (507, "insufficient_storage")
        assert files_in(tmp_path / "drafts") == files_in(tmp_path / "blobs") == []
        assert upload(server.client, b"small").bytes == 5
