"""Odd and hostile bytes: a correct import or a clear word, in bounded memory."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.trainerbot.formats.files import chat, jsonl, problems, records, write
from trainerbot.errors import InvalidInput
from trainerbot.formats import Options, Problem, Row, detect, excerpt, read
from trainerbot.formats.jsonl import MAX_LINE_BYTES

ROW = chat(("user", "Привет 😀"), ("assistant", "HI!"))
ALPACA = {"instruction": "Привет 😀", "output": "HI!"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("content", [jsonl(ALPACA, ALPACA), json.dumps([ALPACA] * 2, indent=1)])
def test_every_encoding_of_unicode_is_read(tmp_path, encoding, content):
    path = write(tmp_path, content.encode(encoding))

    assert detect(path).format == "alpaca"
    assert records(path, "alpaca") == [ROW, ROW]
    assert json.loads(excerpt(path, 2, format="alpaca")) == ALPACA


def test_half_a_character_of_utf_16_keeps_its_row_out(tmp_path):
    content = (jsonl(ALPACA) + "\n" + jsonl(ALPACA)).encode("utf-16")[:-1]

    found = list(read(write(tmp_path, content), format="alpaca"))

    assert [each.code for each in problems(found)] == ["invalid_encoding"]
    assert [row.line for row in found if isinstance(row, Row)] in ([], [1])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\r\n", "\r\n\n"])
def test_mixed_line_ends_are_read(tmp_path, end):
    path = write(tmp_path, jsonl(ALPACA) + end + jsonl(ALPACA) + "\n")

    assert records(path, "alpaca") == [ROW, ROW]


def test_old_line_ends_are_told(tmp_path):
    (problem,) = problems(read(write(tmp_path, "{}\r{}"), format="alpaca"))

    assert "carriage returns" in problem.message


DEEP = '{"instruction": ' + "[" * 100_000 + "]" * 100_000 + "}"
SAYS = '{"instruction": "x", "output": %s}'
ODD = [
    (SAYS % '"\\ud83d"', "lone_surrogate"),
    (SAYS % '"a\\u0000b"', "nul_character"),
    (SAYS % '"a\0b"', "invalid_json"),
    (SAYS % "NaN", "invalid_json"),
    (SAYS % "1e999", "invalid_json"),
    (SAYS % ("9" * 5000), "invalid_json"),
    (SAYS % '"y", "output": "z"', "duplicate_key"),
    (DEEP, "too_deep"),
    ('{"instruction": "x"', "invalid_json"),
    ("3", "data_type"),
    ("null", "data_type"),
    ('"text"', "data_type"),
]


@pytest.mark.parametrize(("odd", "code"), ODD)
@pytest.mark.origin(23)
def test_one_odd_row_costs_one_problem_and_no_other_row(tmp_path, odd, code):
    good = jsonl(ALPACA)
    lines = write(tmp_path, f"{good}\n{odd}\n{good}\n", "lines")

    found = list(read(lines, format="alpaca"))

    assert [(each.line, each.code) for each in problems(found)] == [(2, code)]
    assert [row.line for row in found if isinstance(row, Row)] == [1, 3]
    assert detect(lines).format == "alpaca"


@pytest.mark.parametrize(("odd", "code"), [each for each in ODD if each[0][-1] != '"x"'])
@pytest.mark.origin(23)
def test_one_odd_element_costs_one_problem_and_no_other_element(tmp_path, odd, code):
    if odd.count("{") != odd.count("}"):
        odd += "]"
    good = jsonl(ALPACA)
    array = write(tmp_path, f"[{good},{odd},{good}]", "array")

    found = list(read(array, format="alpaca"))

    assert (2, code) in [(each.line, each.code) for each in problems(found)]
    assert next(each.line for each in found if isinstance(each, Row)) == 1


def test_bytes_that_are_no_text_keep_their_row_out(tmp_path):
    good = jsonl(ALPACA).encode()
    path = write(tmp_path, good + b"\n" + good.replace(b"HI", b"\xff\xfe") + b"\n" + good)

    found = list(read(path, format="alpaca"))

    assert [(each.line, each.code) for each in problems(found)] == [(2, "invalid_encoding")]
    assert "\N{REPLACEMENT CHARACTER}" in excerpt(path, 2, format="alpaca")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \n\n", "empty"),
        (b"[]", "empty"),
        (b"\0" * 100, "NUL bytes"),
        (b"\x7fELF\x02\x01" + b"\0" * 20, "program"),
        (b"%PDF-1.7", "PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x28\xb5\x2f\xfd..", "Zstandard"),
        (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
        (b"x" * 257 + b"ustar\0", "tar"),
        (b"\x89PNG\r\n", "picture"),
        (b"PAR1 and nothing", ""),
        (b"PK\x03\x04 and nothing", "damaged"),
        (b"\x1f\x8b\x08 and nothing", "gzip"),
        (b'{"data": [{"text": "a"}]}\n', '"data"'),
        (b'{"custom_id": "1", "method": "POST", "url": "/v1"}\n', "Batch API"),
        (b"[1, 2, 3]", "no JSON objects"),
        (b'["a", "b"]', "no JSON objects"),
        (b"[" * 100_000, ""),
        (b"{" * 100_000, ""),
        (b"{broken}\n{broken}", "not valid JSON"),
    ],
)
@pytest.mark.origin(22)
def test_what_is_no_training_data_is_said_in_one_sentence(tmp_path, content, said):
    path = write(tmp_path, content)

    detected = detect(path)

    assert (detected.format, detected.kind, detected.sample) == (None, None, ())
    assert detected.problem is not None
    assert detected.said == detected.problem.message
    assert said in detected.said
    assert str(tmp_path) not in detected.said


def test_a_name_that_promises_json_is_not_believed(tmp_path):
    path = write(tmp_path, "Just some words")

    assert detect(path, filename="a.txt").format == "texts"
    assert detect(path, filename="a.jsonl").format is None
    assert detect(write(tmp_path, jsonl(ALPACA)), filename="a.csv").format == "alpaca"


def test_a_sample_shows_texts_before_they_have_a_label(tmp_path):
    path = write(tmp_path, "Just some words", "a.txt")

    (row,) = detect(path).sample
    (problem,) = read(path, format="texts", options=Options(label=" "))

    assert isinstance(row, Row)
    assert row.record == {"text": "Just some words", "label": "", "name": "a.txt"}
    assert isinstance(problem, Problem)
    assert problem.code == "missing_label"


def test_a_preference_of_pictures_is_refused_when_it_is_read(tmp_path):
    picture = [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]
    asked = [{"role": "user", "content": picture}]
    path = write(tmp_path, jsonl({"prompt": asked, "chosen": "a", "rejected": "b"}))

    (problem,) = problems(read(path, format="preference-pairs"))

    assert problem.code == "unsupported_content"


def test_a_file_without_end_of_line_is_a_row_too(tmp_path):
    path = write(tmp_path, jsonl(ALPACA) + "\nnot json")

    found = list(read(path, format="alpaca"))

    assert [(each.line, each.code) for each in problems(found)] == [(2, "invalid_json")]


def test_an_unknown_format_is_refused_at_once(tmp_path):
    with pytest.raises(InvalidInput, match="no format"):
        read(tmp_path, format="guess")


def test_a_missing_file_is_the_systems_own_error(tmp_path):
    for call in (
        lambda path: detect(path),
        lambda path: list(read(path, format="alpaca")),
        lambda path: excerpt(path, 1, format="alpaca"),
    ):
        with pytest.raises(FileNotFoundError):
            call(tmp_path / "missing")


def test_many_rows_are_counted_roughly(tmp_path):
    path = write(tmp_path, (jsonl({**ALPACA, "input": "x" * 400}) + "\n") * 50_000)

    assert "about 50,000 rows" in detect(path).said


def test_rows_beside_an_endless_line_are_not_estimated(tmp_path):
    path = sparse_line(tmp_path / "upload")

    assert detect(path).said == "Alpaca data: rows of instruction, output (JSONL)."


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_excerpt_is_the_line_clipped(tmp_path, end):
    long = jsonl({"text": "ы" * 9000})
    path = write(tmp_path, f"first{end}{end}{long}{end}a\0b{end}")

    assert excerpt(path, 1, format="labelled-json") == "first"
    assert excerpt(path, 2, format="labelled-json") == ""
    clipped = excerpt(path, 3, format="labelled-json")
    assert len(clipped) == 4000
    assert clipped.endswith("ы…")
    assert excerpt(path, 4, format="labelled-json") == "a␀b"
    assert excerpt(path, 9, format="labelled-json") == ""
    assert excerpt(path, 0, format="labelled-json").startswith("first")
    assert excerpt(path, 1, format="labelled-json", place="nowhere") == ""


def test_an_excerpt_of_a_table_names_its_columns(tmp_path):
    path = write(tmp_path, "question,answer\nhi,HI!\n")

    assert excerpt(path, 1, format="table") == "question: hi\nanswer: HI!"


MEASURE = """
import sys
from trainerbot.formats import detect, excerpt, read

path, format = sys.argv[1:]
detect(path)
codes = {getattr(each, "code", "row") for each in read(path, format=format)}
excerpt(path, 2, format=format)
# getrusage would also count what the parent held when it forked.
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(*sorted(codes), int(peak.split()[1]) // 1024)
"""


def measure(path: Path, format: str) -> tuple[set[str], int]:
    """Codes and "row" that came of a file, and the peak memory of a fresh process in MiB."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), format],
        capture_output=True,
        text=True,
        check=True,
    )
    *codes, peak_mib = done.stdout.split()
    return set(codes), int(peak_mib)


def sparse_line(path: Path) -> Path:
    """A row, a line of 300 MiB, a row."""
    with path.open("wb") as file:
        file.write(jsonl(ALPACA).encode() + b'\n{"instruction": "')
        file.seek(300 * 2**20, 1)
        file.write(b'"}\n' + jsonl(ALPACA).encode() + b"\n")
    return path


def sparse_element(path: Path) -> Path:
    """The same in an array."""
    with path.open("wb") as file:
        file.write(b"[" + jsonl(ALPACA).encode() + b',\n{"instruction": "')
        file.seek(300 * 2**20, 1)
        file.write(b'"},\n' + jsonl(ALPACA).encode() + b"]\n")
    return path


def bomb(path: Path) -> Path:
    """300 MiB in 300 KiB."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.jsonl", "w") as member,
    ):
        for _ in range(300):
            member.write(b" " * 2**20)
    return path


def deep(path: Path) -> Path:
    path.write_text(f"{jsonl(ALPACA)}\n{DEEP}\n{jsonl(ALPACA)}")
    return path


@pytest.mark.parametrize(
    ("make", "codes"),
    [
        (sparse_line, {"row", "line_too_long"}),
        (sparse_element, {"row", "line_too_long"}),
        (bomb, {"zip_bomb"}),
        (deep, {"row", "too_deep"}),
    ],
)
def test_what_is_built_to_fill_the_memory_does_not(tmp_path, make, codes):
    found, peak_mib = measure(make(tmp_path / "upload"), "alpaca")

    assert found == codes
    assert peak_mib < 160


def test_a_large_array_takes_the_memory_of_one_element(tmp_path):
    path = tmp_path / "upload"
    element = json.dumps({"instruction": "x" * 2**20, "output": "y"}).encode()
    with path.open("wb") as file:
        file.write(b"[")
        file.writelines([element + b","] * 100)
        file.write(element + b"]")

    found, peak_mib = measure(path, "alpaca")

    assert found == {"row"}
    assert path.stat().st_size > 100 * 2**20
    assert peak_mib < 110


def test_a_line_far_into_a_file_is_found_past_an_endless_one(tmp_path):
    path = write(tmp_path, b"x" * (2 * MAX_LINE_BYTES + 10) + b"\nsecond\n")

    assert excerpt(path, 2, format="alpaca") == "second"
