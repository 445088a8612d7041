"""Whatever the bytes are: rows of ours, or problems in words, and never another exception."""

import gzip
import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainerbot.formats.files import jsonl, zipped
from tests.trainerbot.formats.test_reading_records import CHATS, OTHERS
from trainerbot.errors import TrainerBotError
from trainerbot.formats import (
    FORMATS,
    Kind,
    Options,
    Problem,
    Row,
    check,
    detect,
    excerpt,
    mapping,
    read,
)
from trainerbot.formats.chat_rules import check_row
from trainerbot.formats.legacy import read_job_ids

RECORDS = [given for _, given, _ in CHATS + OTHERS]
LOG = "Original: a\nCorrection: b\n\nOriginal: Feedback\nCorrection: c\n\n"
DIALOGUE = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
JOBS = [{"id": "ftjob-1", "description": "x", "created": 1.5}]
TABLE = 'question,answer,system\nhi,HI!,\n"a\nb",c,d\n'

REAL_FILES: list[bytes] = [
    *(jsonl(record, record).encode() for record in RECORDS),
    json.dumps(RECORDS, indent=1).encode(),
    json.dumps([DIALOGUE, DIALOGUE]).encode(),
    jsonl(*DIALOGUE).encode("utf-16"),
    json.dumps(JOBS).encode(),
    LOG.encode(),
    TABLE.encode(),
    TABLE.replace(",", "\t").encode("utf-16"),
    gzip.compress(jsonl(*RECORDS).encode(), mtime=0),
    zipped(("a.txt", "one"), ("b/c.txt", "two")),
    zipped(("a.json", json.dumps(RECORDS)), ("b.json", json.dumps(RECORDS[0]))),
    zipped(("a.csv", TABLE)),
]

KEYS = st.sampled_from(sorted({key for record in RECORDS for key in record})) | st.text(max_size=3)
WORDS = st.sampled_from(
    ["user", "human", "gpt", "assistant", "tool", "function_call", "", "[", "{"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=4)
        | st.fixed_dictionaries({"role": WORDS, "content": inner})
        | st.fixed_dictionaries({"from": WORDS, "value": inner})
        | st.lists(st.fixed_dictionaries({"from": WORDS, "value": inner}), min_size=1, max_size=3)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A real file with some bytes changed, left out, repeated or cut off."""
    content = bytearray(draw(st.sampled_from(REAL_FILES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(content)))
        length = draw(st.integers(0, 12))
        match draw(st.sampled_from(["put", "leave out", "repeat", "cut"])):
            case "put":
                odd = st.sampled_from([b"\0", b'"', b"{", b"]", b"\\", b"\n", b"\xff", b","])
                content[at:at] = draw(odd | st.binary(max_size=4))
            case "leave out":
                del content[at : at + length]
            case "repeat":
                content[at:at] = content[at : at + length] * 2
            case "cut":
                del content[max(at, 1) :]
    return bytes(content)


@st.composite
def jsonish(draw: st.DrawFn) -> bytes:
    """Records of one of our formats with something else in some of their places, or any JSON."""
    values = draw(st.lists(VALUES, min_size=1, max_size=3))
    record = dict(draw(st.sampled_from(RECORDS)))
    record[draw(st.sampled_from(sorted(record)) | KEYS)] = draw(VALUES)
    values.append(record)
    if draw(st.booleans()):
        return json.dumps(values).encode()
    return "\n".join(json.dumps(value) for value in values).encode()


def examine(content: bytes) -> None:
    """Do everything to a file that a page would, in every format that it may be taken for."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        path.write_bytes(content)
        detected = detect(path)
        assert (detected.format is None) <= (detected.problem is not None)
        assert detected.said
        for format in FORMATS:
            columns = mapping.propose(detected.columns) or {"prompt": "question"}
            options = Options(mapping=columns, label="positive" if format == "texts" else None)
            n_rows = 0
            for found in read(path, format=format, options=options):
                n_rows += isinstance(found, Row)
                examine_found(found)
                shown = excerpt(path, found.line, format=format, place=found.place)
                assert len(shown) <= 4000
            # An import stores what the check has counted, or nothing.
            report = check(path, format=format, options=options, target="any", max_bytes=2**20)
            assert report.n_examples == n_rows
        with suppress(TrainerBotError):
            read_job_ids(path)


def examine_found(found: Row | Problem) -> None:
    if isinstance(found, Problem):
        assert found.message
        assert found.code
        return
    assert found.line >= 1
    record: dict[str, Any] = found.record
    json.dumps(record, allow_nan=False).encode()
    match found.kind:
        case Kind.CHAT:
            conversations = [record]
        case Kind.PREFERENCE:
            asked = record["input"]["messages"]
            answers = (record["preferred_output"], record["non_preferred_output"])
            conversations = [{"messages": [*asked, *answer]} for answer in answers]
        case Kind.UNPAIRED:
            assert isinstance(record["label"], bool)
            conversations = [{"messages": [*record["prompt"], *record["completion"]]}]
        case Kind.LABELLED:
            assert record["text"].strip()
            assert isinstance(record["label"], str)
            conversations = []
    for conversation in conversations:
        wrong = [each for each in check_row(1, conversation) if each.severity == "error"]
        assert wrong == []


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content):
    examine(content)


@settings(max_examples=100, deadline=None)
@given(mutated())
def test_real_files_with_something_broken(content):
    examine(content)


@settings(max_examples=100, deadline=None)
@given(jsonish())
def test_json_with_anything_in_any_place(content):
    examine(content)
