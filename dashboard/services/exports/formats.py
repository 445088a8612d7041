"""Which formats a version can be written in, and what the files are called."""

import re
from typing import Final, NamedTuple

from dashboard.models import DatasetVersion
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

LOOKED_AT = 200
MAX_STEM: Final = 80


class Format(NamedTuple):
    """What people call a format, the ending of its files, and their media type."""

    title: str
    ending: str
    content_type: str


_LINES: Final = "application/jsonl"
FORMATS: Final = {
    "chat-jsonl": Format("Conversations (OpenAI chat JSONL)", "jsonl", _LINES),
    "dpo-jsonl": Format("Preferences (OpenAI DPO JSONL)", "jsonl", _LINES),
    "kto-jsonl": Format("Judged answers (KTO JSONL)", "jsonl", _LINES),
    "labelled-json": Format("Labelled texts (JSON)", "json", "application/json"),
    "csv": Format("Table (CSV)", "csv", "text/csv"),
    "parquet": Format("Table (Parquet)", "parquet", "application/vnd.apache.parquet"),
}
ARCHIVE: Final = Format("Archive with a manifest (ZIP)", "zip", "application/zip")
# The first one keeps every record as it is.
_OF_KIND: Final = {
    Kind.CHAT: ("chat-jsonl", "kto-jsonl", "csv", "parquet"),
    Kind.PREFERENCE: ("dpo-jsonl", "chat-jsonl", "kto-jsonl", "csv", "parquet"),
    Kind.UNPAIRED: ("kto-jsonl", "chat-jsonl", "csv", "parquet"),
    Kind.LABELLED: ("labelled-json", "chat-jsonl", "csv", "parquet"),
}


def formats_for(version: DatasetVersion) -> list[tuple[str, str]]:
    """Name and title of each format that can hold the rows of `version`, the truest one first."""
    names = _OF_KIND[Kind(version.kind)]
    if version.kind == Kind.CHAT and not _is_judged(version):
        names = tuple(name for name in names if name != "kto-jsonl")
    return [(name, FORMATS[name].title) for name in names]


def _is_judged(version: DatasetVersion) -> bool:
    """Whether its first conversations say by a weight which answers were wanted."""
    records = version.examples.kept().order_by("position")
    for record in records.values_list("record", flat=True)[:LOOKED_AT]:
        if any("weight" in message for message in record["messages"]):
            return True
    return False


def refuse(version: DatasetVersion, names: list[str], *, part: str = "") -> None:
    """Raise InvalidInput for formats and a part that `version` does not have."""
    if part and part not in version.split.get("shares", {}):
        raise InvalidInput(f"{version} has no part named {part[:20]!r}.")
    offered = _OF_KIND[Kind(version.kind)]
    if not names:
        raise InvalidInput(f"Choose a format: {', '.join(offered)}.")
    for name in names:
        if name not in offered:
            raise InvalidInput(
                f"{version} cannot be written as {name[:40]!r}. Choose one of {', '.join(offered)}."
            )


def filename(version: DatasetVersion, ending: str, *, part: str = "") -> str:
    """A name that every system takes: letters, digits, points and dashes."""
    stem = re.sub(r"[^\w.\-]+", "-", version.dataset.name).strip("-.")[:MAX_STEM] or "dataset"
    return f"{stem}-v{version.number}{'-' + part if part else ''}.{ending}"


def content_type(name: str) -> str:
    return FORMATS[name].content_type


def inside(name: str) -> str:
    """What the file of a format is called within an archive."""
    return f"{name}.{FORMATS[name].ending}"
