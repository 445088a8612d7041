"""What the original bot left behind: corrections, dialogues, job ids."""

import json
from datetime import UTC, datetime

import pytest

from tests.trainerbot.formats.files import chat, jsonl, problems, records, rows, write
from trainerbot.errors import InvalidInput
from trainerbot.formats import Row, detect, excerpt, read
from trainerbot.formats.legacy import LegacyJobId, read_job_ids

LOG = (
    "Original: We close at six.\nCorrection: We close at nine.\n\n"
    "Original: Feedback\nCorrection: You are slow\n\n"
    "Original: Two\n\nparagraphs: yes\nCorrection: Three\n\n\nparagraphs\nOriginal: quoted\n\n"
)


def correction(said: str, meant: str) -> dict[str, object]:
    made: dict[str, object] = chat(("user", said), ("assistant", meant))
    return {**made, "metadata": {"source": "corrections_log"}}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff", "\n\n"])
def test_a_log_of_corrections_is_read_with_texts_of_several_lines(tmp_path, end, begin):
    path = write(tmp_path, (begin + LOG).replace("\n", end).encode())
    n_before = begin.count("\n")

    found = list(read(path, format="corrections-log"))

    assert detect(path).format == "corrections-log"
    assert [row.record for row in found if isinstance(row, Row)] == [
        correction("We close at six.", "We close at nine."),
        correction("Two\n\nparagraphs: yes", "Three\n\n\nparagraphs\nOriginal: quoted"),
    ]
    assert [row.line - n_before for row in found if isinstance(row, Row)] == [1, 7]
    (feedback,) = problems(found)
    assert (feedback.line - n_before, feedback.severity) == (4, "warning")
    assert excerpt(path, 4 + n_before, format="corrections-log") == (
        "Original: Feedback\nCorrection: You are slow\n"
    )


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("Original: a\nCorrection: b\nCorrection: c\n", "invalid_entry"),
        ("Original: a\n", "invalid_entry"),
        ("Original: \nCorrection: b\n", "missing_content"),
        ("Original: a\nCorrection: b\0\n", "nul_character"),
        ("Original: a\nCorrection: да\n".encode("cp1251"), "invalid_encoding"),
        ("Something else\n", "invalid_entry"),
        ("", "empty_file"),
        (" \n\n", "empty_file"),
    ],
)
def test_an_entry_that_can_be_read_in_two_ways_is_refused(tmp_path, entry, code):
    path = write(tmp_path, entry)

    (problem,) = problems(read(path, format="corrections-log"))

    assert problem.code == code


DIALOGUE = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi", "sentiment": "neutral"},
    {"role": "assistant", "content": "Hello!", "sentiment": "positive"},
    {"role": "user", "content": "Bad"},
    {"role": "assistant", "content": "old", "sentiment": "neutral"},
    {"role": "assistant", "content": "new", "sentiment": "negative"},
    {"role": "user", "content": "Anyone?"},
]
KIND = ("system", "Be kind.")
ANSWERED = [
    {**chat(KIND, ("user", "Hi"), ("assistant", "Hello!")), "metadata": {"sentiment": "positive"}},
    {**chat(KIND, ("user", "Bad"), ("assistant", "old")), "metadata": {"sentiment": "neutral"}},
    {**chat(KIND, ("user", "Bad"), ("assistant", "new")), "metadata": {"sentiment": "negative"}},
]


@pytest.mark.parametrize("content", [json.dumps(DIALOGUE, indent=4), jsonl(*DIALOGUE)])
def test_a_dialogue_gives_an_example_for_each_answer(tmp_path, content):
    path = write(tmp_path, content)

    found = list(read(path, format="dialogue"))

    assert detect(path).format == "dialogue"
    assert [row.record for row in found if isinstance(row, Row)] == ANSWERED
    (unanswered,) = problems(found)
    assert (unanswered.line, unanswered.severity) == (7, "warning")


def test_a_chat_table_gives_the_same_examples(tmp_path):
    lines = ["role,content,sentiment"]
    lines += [f"{m['role']},{m['content']},{m.get('sentiment', '')}" for m in DIALOGUE]
    path = write(tmp_path, "\n".join(lines))

    found = list(read(path, format="chat-csv"))

    assert detect(path).format == "chat-csv"
    assert [row.record for row in found if isinstance(row, Row)] == ANSWERED


def test_lists_of_messages_are_joined_by_four_unless_they_end_with_an_answer(tmp_path):
    asked = [{"role": "user", "content": "part"}]
    answered = [*asked, {"role": "assistant", "content": "whole"}]
    path = write(tmp_path, json.dumps([answered, asked, asked, asked, answered, answered]))

    found = rows(path, "dialogue")

    assert detect(path).format == "dialogue"
    assert [(row.line, len(row.record["messages"])) for row in found] == [(1, 2), (2, 5), (6, 2)]


def test_lists_that_never_come_to_an_answer_are_refused(tmp_path):
    path = write(tmp_path, json.dumps([[{"role": "user", "content": "x"}]] * 5))

    found = problems(read(path, format="dialogue"))

    assert [problem.code for problem in found] == ["example_missing_assistant_message"] * 2
    assert [problem.line for problem in found] == [1, 5]


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"role": "assistant", "content": "to nobody"}, "missing_user_message"),
        ({"role": "user", "content": ""}, "missing_content"),
        ({"role": "alien", "content": "x"}, "unrecognized_role"),
        ({"role": "tool", "content": "x"}, "unrecognized_role"),
        ("x", "data_type"),
    ],
)
def test_a_message_that_belongs_to_no_dialogue_is_refused(tmp_path, message, code):
    path = write(tmp_path, json.dumps([message]))

    (problem,) = problems(read(path, format="dialogue"))

    assert (problem.line, problem.code) == (1, code)


def test_both_shapes_of_job_ids_are_read(tmp_path):
    early = write(tmp_path, '{"ftjob-1": "first", "ftjob-2": "second"}', "early.json")
    final = write(
        tmp_path,
        '[{"id": "ftjob-1", "description": "first", "created": 1735689600.5}]',
        "final.json",
    )

    assert read_job_ids(early) == [
        LegacyJobId("ftjob-1", "first", None),
        LegacyJobId("ftjob-2", "second", None),
    ]
    assert read_job_ids(final) == [
        LegacyJobId("ftjob-1", "first", datetime(2025, 1, 1, microsecond=500000, tzinfo=UTC))
    ]
    assert [detect(path).format for path in (early, final)] == ["job-ids", "job-ids"]
    assert records(early, "job-ids") == records(final, "job-ids") == []


def test_job_ids_of_no_usual_form_are_known_by_the_files_name(tmp_path):
    path = write(tmp_path, '{"4711": "first"}')

    assert detect(path, filename="job_ids.json").format == "job-ids"
    assert detect(path).format != "job-ids"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "3",
        '"text"',
        '{"a": 1}',
        '{"": "x"}',
        "[1]",
        '[{"id": ""}]',
        '[{"id": "a", "description": 1}]',
        '[{"id": "a", "description": "b", "created": "today"}]',
        '[{"id": "a", "description": "b", "created": 1e300}]',
        '[{"id": "a", "description": "b", "created": true}]',
        '{"a": "b", "a": "c"}',
        "[" * 100_000,
        b"\x1f\x8b broken",
        b"%PDF-1.4",
    ],
)
def test_what_is_no_list_of_jobs_is_refused_in_words(tmp_path, content):
    with pytest.raises(InvalidInput):
        read_job_ids(write(tmp_path, content))
