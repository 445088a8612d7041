"""A text file as one labelled text."""

from pathlib import Path

from trainerbot.formats.jsonl import MAX_LINE_BYTES
from trainerbot.formats.recognition import BOM
from trainerbot.formats.records.judged import from_labelled
from trainerbot.formats.records.refusal import Refused


def read_text(path: Path, *, name: str, label: str | None) -> dict[str, str]:
    """Return the record of one file; raises Refused when it is no text or has no label."""
    with path.open("rb") as file:
        raw = file.read(MAX_LINE_BYTES + 1)
    if len(raw) > MAX_LINE_BYTES:
        limit = MAX_LINE_BYTES // 2**20
        raise Refused("", "line_too_long", f"longer than {limit} MiB. Split it.")
    try:
        text = raw.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        said = f"byte {error.start + 1} is not UTF-8. Save the file as UTF-8 and try again."
        raise Refused("", "invalid_encoding", said) from error
    if "\0" in text:
        raise Refused("", "nul_character", "a NUL character, which databases cannot hold.")
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not text:
        raise Refused("", "missing_content", "this file is empty.")
    return from_labelled({"text": text, "name": name}, label)
