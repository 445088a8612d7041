"""Whole files: what is refused at sight, what is counted, what is bounded."""

import gzip
import hashlib
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from trainerbot.formats import ChatExample, Report, check_chat_jsonl, read_chat_jsonl
from trainerbot.formats.jsonl import MAX_LINE_BYTES

ROW = json.dumps(
    {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "HI!"}]}
).encode()


def check(tmp_path: Path, content: bytes, *, max_bytes: int = 2**30, **kwargs: int) -> Report:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    return check_chat_jsonl(path, max_bytes=max_bytes, **kwargs)


def test_a_good_file_is_counted_and_fingerprinted(tmp_path):
    content = ROW + b"\n" + ROW + b"\n"

    report = check(tmp_path, content)

    assert report.ok
    assert report.n_examples == 2
    assert report.n_bytes == len(content)
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert report.problems == ()
    assert report.first_error is None


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + ROW,
        b"\n\n" + ROW + b"\n  \n\r\n",
        ROW.replace(b"}", b"} ") + b"\r\n" + ROW + b"\r\n",
        b" " * 70_000 + b"\n" + ROW,
    ],
)
def test_a_byte_order_mark_blank_lines_and_windows_line_ends_are_tolerated(tmp_path, content):
    report = check(tmp_path, content)

    assert report.ok
    assert report.n_examples >= 1


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "empty_file", "empty"),
        (b" \n\n\t\n", "empty_file", "empty"),
        (b"\xef\xbb\xbf", "empty_file", "empty"),
        (ROW.decode().encode("utf-16"), "invalid_encoding", "UTF-16"),
        (ROW.decode().encode("utf-16-le"), "invalid_encoding", "UTF-16"),
        (ROW.decode().encode("utf-16-be"), "invalid_encoding", "UTF-16"),
        (ROW.decode().encode("utf-32"), "invalid_encoding", "UTF-32"),
        (gzip.compress(ROW, mtime=0), "invalid_file_format", "gzip"),
        (b"PK\x03\x04....", "invalid_file_format", "spreadsheet"),
        (b"[" + ROW + b"]", "invalid_file_format", "JSON array"),
        (b'[\n{"instruction": "a", "output": "b"}]', "invalid_file_format", "Alpaca"),
        (b'[{"chosen": "a", "rejected": "b"}]', "invalid_file_format", "preference (DPO)"),
        (b"[" * 100_000, "invalid_file_format", "JSON array"),
        (b'{\n  "messages": []\n}', "invalid_file_format", "several lines"),
        (b"prompt,completion\nhi,HI!", "invalid_file_format", "CSV (columns prompt, completion)"),
        (b'"question"\t"answer"\nhi\tHI!', "invalid_file_format", "tab-separated"),
    ],
)
def test_a_file_that_is_no_jsonl_gets_one_complaint(tmp_path, content, code, said):
    report = check(tmp_path, content)

    assert not report.ok
    assert report.n_examples == 0
    (problem,) = report.problems
    assert (problem.line, problem.code) == (0, code)
    assert said in problem.message


def test_a_file_over_the_limit_is_refused_unread(tmp_path):
    report = check(tmp_path, ROW, max_bytes=len(ROW) - 1)

    assert report.first_error is not None
    assert report.first_error.code == "file_too_large"
    assert report.sha256 == ""


def test_too_few_examples_are_told_in_openais_words(tmp_path):
    report = check(tmp_path, (ROW + b"\n") * 7, min_examples=10)

    assert report.first_error is not None
    assert report.first_error.code == "invalid_n_examples"
    assert report.first_error.message == (
        "Training file has 7 example(s), but must have at least 10 examples"
    )


def test_a_report_keeps_a_thousand_problems_and_counts_all(tmp_path):
    warned = b'{"messages": [{"role": "assistant", "content": "x"}]}\n'

    report = check(tmp_path, warned * 1500 + b"oops\n" + ROW)

    assert len(report.problems) == 1000
    assert report.n_problems == 1501
    assert report.n_errors == 1
    assert report.n_examples == 1501
    assert report.first_error is not None
    assert report.first_error.line == 1501


def test_checking_finds_what_reading_finds(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join([ROW, b"{", b'{"messages": []}', ROW, b"\xff"]))

    read = list(read_chat_jsonl(path))
    report = check_chat_jsonl(path, max_bytes=2**20)

    assert [example.line for example in read if isinstance(example, ChatExample)] == [1, 4]
    assert list(report.problems) == [p for p in read if not isinstance(p, ChatExample)]


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path):
    path = tmp_path / "rows.jsonl"
    with path.open("wb") as file:
        for _ in range(4):
            file.write(b"x" * MAX_LINE_BYTES)
        file.write(b"\n" + ROW)

    tracemalloc.start()
    report = check_chat_jsonl(path, max_bytes=2**30)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert report.first_error is not None
    assert (report.first_error.line, report.first_error.code) == (1, "line_too_long")
    assert report.n_examples == 1
    assert peak_bytes < 3 * MAX_LINE_BYTES


def test_reading_many_rows_takes_no_more_memory_than_one(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_bytes((ROW + b"\n") * 20_000)

    tracemalloc.start()
    n_examples = sum(1 for _ in read_chat_jsonl(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert n_examples == 20_000
    assert peak_bytes < 2**20


def test_a_missing_file_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_chat_jsonl(tmp_path / "none.jsonl", max_bytes=1)


def test_importing_the_formats_loads_nothing_heavy():
    heavy = "{'openai', 'sklearn', 'numpy', 'django', 'torch'}"
    code = f"import sys, trainerbot.formats; assert not {heavy} & sys.modules.keys()"

    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)
