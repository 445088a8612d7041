"""What every format is read into: one record of one kind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a record teaches, and so which keys it has.

    CHAT: OpenAI's chat row, `{"messages": [...]}`, maybe with tools.
    PREFERENCE: OpenAI's DPO row, `{"input": {"messages": [...]},
    "preferred_output": [message], "non_preferred_output": [message]}`.
    UNPAIRED: one judged answer as KTO takes it, `{"prompt": [messages],
    "completion": [messages], "label": true}`.
    LABELLED: a text and its class, `{"text": ..., "label": ...}`, maybe with
    a name.
    """

    CHAT = "chat"
    PREFERENCE = "preference"
    UNPAIRED = "unpaired"
    LABELLED = "labelled"


@dataclass(frozen=True, slots=True)
class Row:
    """One usable record.

    `line` counts from 1: lines of a text file, rows of a table below its
    heading, elements of an array, files of a folder. `place` names the file
    inside a folder or archive, and is empty elsewhere. `source` is what a
    mark told that the record bore (`formats.marks`), else empty.
    """

    line: int
    record: dict[str, Any]
    kind: Kind
    place: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say about a file that the file itself does not.

    mapping: our field -> their column, for tables. Our fields are prompt,
    completion, system; text, label, name; chosen, rejected; messages.
    label: the class of every row that names none.
    sheet: which sheet of a workbook; the first one if None.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    sheet: str | None = None
