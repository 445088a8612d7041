"""Records into files: what becomes what, what is refused, and nothing by halves."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from trainerbot.errors import InvalidInput
from trainerbot.formats import canonical
from trainerbot.formats.rows import Kind
from trainerbot.formats.writing import write

USER = {"role": "user", "content": "Bonn?"}
GOOD = {"role": "assistant", "content": "On the Rhine."}
BAD = {"role": "assistant", "content": "No idea."}
TOOL = {"type": "function", "function": {"name": "look"}}

CHAT = {"messages": [USER, GOOD]}
PREFERENCE = {
    "input": {"messages": [USER], "tools": [TOOL]},
    "preferred_output": [GOOD],
    "non_preferred_output": [BAD],
}
RIGHT = {"prompt": [USER], "completion": [GOOD], "label": True}
WRONG = {"prompt": [USER], "completion": [BAD], "label": False}
LABELLED = {"text": "50 % off", "label": "positive", "name": "a.txt"}


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.origin(25)
def test_chat_lines_have_the_one_spelling(tmp_path: Path):
    path = tmp_path / "out.jsonl"

    written = write(
        [{"messages": [GOOD, USER], "a": "é"}], path, format="chat-jsonl", kind=Kind.CHAT
    )

    assert path.read_text(encoding="utf-8") == canonical({"messages": [GOOD, USER], "a": "é"})
    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (written.n_examples, written.n_bytes) == (1, path.stat().st_size)


@pytest.mark.parametrize(
    ("record", "kind", "format", "made"),
    [
        (
            LABELLED, Kind.LABELLED, "chat-jsonl",
            [{"messages": [
                {"role": "system", "content": "Answer with exactly one of: negative, positive."},
                {"role": "user", "content": "50 % off"},
                {"role": "assistant", "content": "positive"},
            ]}],
        ),
        (
            PREFERENCE, Kind.PREFERENCE, "chat-jsonl",
            [{"messages": [USER, GOOD], "tools": [TOOL]}],
        ),
        (
            PREFERENCE, Kind.PREFERENCE, "kto-jsonl",
            [RIGHT | {"tools": [TOOL]}, WRONG | {"tools": [TOOL]}],
        ),
        (RIGHT, Kind.UNPAIRED, "chat-jsonl", [CHAT]),
        ({"messages": [USER, GOOD | {"weight": 1}]}, Kind.CHAT, "kto-jsonl", [RIGHT]),
        ({"messages": [USER, BAD | {"weight": 0}]}, Kind.CHAT, "kto-jsonl", [WRONG]),
    ],
)  # fmt: skip
def test_a_kind_becomes_another_where_nothing_is_invented(
    tmp_path: Path, record: dict[str, Any], kind: Kind, format: str, made: list[Any]
):
    path = tmp_path / "out"

    write([record], path, format=format, kind=kind, labels=["negative", "positive"])

    assert lines(path) == made


@pytest.mark.parametrize(
    ("kind", "format", "reason"),
    [
        (Kind.CHAT, "dpo-jsonl", "no second, worse answer"),
        (Kind.CHAT, "labelled-json", "no labels"),
        (Kind.UNPAIRED, "dpo-jsonl", "no second, worse answer"),
        (Kind.LABELLED, "kto-jsonl", "nobody has judged"),
        (Kind.CHAT, "docx", "no format 'docx'"),
    ],
)
def test_what_a_format_cannot_hold_is_refused_in_words(
    tmp_path: Path, kind: Kind, format: str, reason: str
):
    with pytest.raises(InvalidInput, match=reason):
        write([CHAT], tmp_path / "out", format=format, kind=kind)
    assert not list(tmp_path.iterdir())


def test_what_is_left_out_is_counted_with_its_reason(tmp_path: Path):
    judged = {"messages": [USER, GOOD | {"weight": 1}]}
    half = {"messages": [USER, GOOD | {"content": "\ud83d", "weight": 1}]}
    cut = {"messages": [GOOD, USER]}

    written = write(
        [judged, CHAT, CHAT, half, cut, {"text": "x"}],
        tmp_path / "out",
        format="kto-jsonl",
        kind=Kind.CHAT,
    )

    assert (written.n_examples, written.n_left_out) == (1, 5)
    assert written.left_out == {
        "nobody has judged its last answer (no weight)": 2,
        "it holds half a character (a lone surrogate)": 1,
        "it does not end with an answer": 1,
        "it lacks what chat data has": 1,
    }


def test_a_wrong_answer_is_no_chat_and_a_file_of_nothing_is_not_written(tmp_path: Path):
    with pytest.raises(InvalidInput, match=r"no example to write \(it was judged wrong\)"):
        write([WRONG], tmp_path / "out", format="chat-jsonl", kind=Kind.UNPAIRED)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("format", ["chat-jsonl", "csv", "parquet"])
def test_a_failure_amid_the_records_leaves_the_old_file(tmp_path: Path, format: str):
    path = tmp_path / "out"
    path.write_text("old")

    def records() -> Iterator[dict[str, Any]]:
        yield CHAT
        raise RuntimeError("the database is gone")

    with pytest.raises(RuntimeError, match="gone"):
        write(records(), path, format=format, kind=Kind.CHAT)

    assert [file.name for file in tmp_path.iterdir()] == ["out"]
    assert path.read_text() == "old"


def test_a_spreadsheet_finds_no_formula_in_csv(tmp_path: Path):
    path = tmp_path / "out.csv"

    write(
        [{"text": "=HYPERLINK(1)", "label": "@x", "name": "'-1"}],
        path,
        format="csv",
        kind=Kind.LABELLED,
    )

    assert path.read_bytes() == (
        b"\xef\xbb\xbftext,label,name,record\r\n'=HYPERLINK(1),'@x,''-1,\r\n"
    )


def test_a_record_longer_than_a_reader_takes_is_left_out_of_csv(tmp_path: Path):
    quotes = {"text": '"' * (6 * 2**20), "label": "x", "more": 1}

    written = write([quotes, LABELLED], tmp_path / "out.csv", format="csv", kind=Kind.LABELLED)

    assert written.left_out == {"its row is longer than 16 million characters": 1}


@pytest.mark.origin(25)
def test_labelled_texts_become_chats_only_with_their_labels(tmp_path: Path):
    with pytest.raises(InvalidInput, match="labels are named"):
        write([LABELLED], tmp_path / "out", format="chat-jsonl", kind=Kind.LABELLED)
