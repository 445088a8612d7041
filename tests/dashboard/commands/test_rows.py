"""`--file F.jsonl` of `ask` and `correct`: read whole, or refused with the line."""

import json

import pytest

from dashboard.models import Correction
from tests.dashboard.commands.running import refusal, rows, run, write

pytestmark = pytest.mark.django_db
GOOD = {"question": "When?", "answer": "At nine."}


def taught() -> list[tuple[str, str]]:
    return list(Correction.objects.order_by("pk").values_list("question", "better_answer"))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{not json", "Line 2, column 2"),
        ("[1, 2]", "Line 2"),
        ("null", "Line 2"),
        ('"When?"', "Line 2"),
        ("[" * 100_000, "Line 2"),
        ({"question": "When?"}, 'line 2 needs a "answer"'),
        ({"question": "When?", "answer": 9}, 'line 2 needs a "answer"'),
        ({"question": "When?", "answer": " \n"}, "line 2: The better answer is empty"),
        ({"question": "", "answer": "At nine."}, "line 2: The question is empty"),
        ({"question": "When?", "answer": "x" * 32_001}, "line 2: The better answer has 32,001"),
        ('{"question": "half \\ud83d", "answer": "At nine."}', "Line 2"),
        ('{"question": "nul \\u0000", "answer": "At nine."}', "Line 2"),
    ],
)
def test_one_bad_line_is_named_and_nothing_is_stored(tmp_path, line, complaint):
    path = write(tmp_path / "lessons.jsonl", GOOD, line, GOOD)
    told = refusal("correct", "--file", path)
    assert told.startswith("lessons.jsonl")
    assert complaint in told
    assert taught() == []


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path):
    path = tmp_path / "lessons.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b'\n{"question": "caf\xe9?", "answer": "x"}\n')
    told = refusal("correct", "--file", path)
    assert "Line 2, byte 18: not UTF-8" in told
    assert taught() == []


@pytest.mark.parametrize("content", [b"", b"\n \r\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "lessons.jsonl"
    path.write_bytes(content)
    assert refusal("correct", "--file", path) == "lessons.jsonl is empty."


def test_a_file_over_the_limit_is_refused(tmp_path, settings):
    settings.MAX_UPLOAD_BYTES = 50
    path = write(tmp_path / "lessons.jsonl", GOOD, GOOD)
    assert "line 2: too long" in refusal("correct", "--file", path)
    assert taught() == []


def test_files_that_are_not_there_are_told_in_words(tmp_path):
    assert refusal("correct", "--file", tmp_path / "nix.jsonl").startswith("There is no file")
    assert "is a folder" in refusal("correct", "--file", tmp_path)
    assert "is a folder" in refusal("ask", "--file", tmp_path)


def test_windows_line_ends_a_byte_order_mark_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "lessons.jsonl"
    write(path, GOOD, "", {"question": "Where?", "answer": "Here."}, end="\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip())
    assert len(rows("correct", "--file", path)) == 2
    assert taught() == [("When?", "At nine."), ("Where?", "Here.")]


def test_separators_within_a_text_are_no_line_ends(tmp_path):
    words = "At nine,\u2028not\u2029ten\x85 \x0b."
    path = write(tmp_path / "lessons.jsonl", {"question": "When?", "answer": words})
    run("correct", "--file", path)
    assert taught() == [("When?", words)]


def test_all_lines_are_in_force_or_none(tmp_path):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 50, {"question": "?"})
    refusal("correct", "--file", path)
    assert taught() == []
