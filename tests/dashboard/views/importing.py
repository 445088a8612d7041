"""Files for the pages that take them, and the worker that looks at them."""

import base64
import json
from collections.abc import Iterable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from dashboard.models import DatasetImport
from dashboard.services import tasks

TUS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}


def line(question: str, answer: str) -> str:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": messages})


def lines(n_lines: int) -> bytes:
    return "\n".join(line(f"Where is room {n}?", f"On floor {n}.") for n in range(n_lines)).encode()


def file_of(*rows: str, name: str = "opening hours.jsonl") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "\n".join(rows).encode())


def work() -> None:
    """Do what a worker does, until there is nothing left."""
    while tasks.run_next("the worker of a test"):
        pass


def given(client: Client, content: bytes, *, filename: str = "rooms.jsonl") -> DatasetImport:
    """A file that was uploaded by the plain form, and checked."""
    client.post("/datasets/upload/", {"name": "", "file": SimpleUploadedFile(filename, content)})
    work()
    return DatasetImport.objects.order_by("-pk")[0]


def begin(client: Client, n_bytes: int, *, filename: str = "rooms.jsonl", **told: str) -> str:
    """The address of a new upload by the tus protocol."""
    metadata = ",".join(
        f"{key} {base64.b64encode(value.encode()).decode()}"
        for key, value in {"filename": filename, **told}.items()
    )
    headers = {**TUS, "Upload-Length": str(n_bytes), "Upload-Metadata": metadata}
    response = client.post("/datasets/uploads/", headers=headers)
    assert response.status_code == 201, response.content
    return str(response["Location"])


def send(client: Client, address: str, content: bytes, *, offset: int = 0) -> int:
    """Send one piece; the status of the answer."""
    response = client.patch(
        address,
        content,
        content_type="application/offset+octet-stream",
        headers={**TUS, "Upload-Offset": str(offset)},
    )
    return int(response.status_code)


def offset_of(client: Client, address: str) -> int:
    return int(client.head(address, headers=TUS)["Upload-Offset"])


def send_all(client: Client, address: str, pieces: Iterable[bytes]) -> None:
    offset = 0
    for piece in pieces:
        assert send(client, address, piece, offset=offset) == 204
        offset += len(piece)
