"""Rows of chat JSONL: which are taken, and what is said about the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainerbot.formats import ChatExample, Problem, parse_prompt, read_chat_jsonl

ASK = {"role": "user", "content": "When do you open?"}
ANSWER = {"role": "assistant", "content": "At nine."}
CALL = {"id": "call_1", "type": "function", "function": {"name": "hours", "arguments": "{}"}}


def read(tmp_path: Path, *lines: str | bytes | dict[str, Any]) -> list[ChatExample | Problem]:
    """Return what reading a file with these lines yields."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"\n".join(as_bytes(line) for line in lines))
    return list(read_chat_jsonl(path))


def as_bytes(line: str | bytes | dict[str, Any]) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line)).encode()


def the_problem(tmp_path: Path, *lines: str | bytes | dict[str, Any]) -> Problem:
    (problem,) = read(tmp_path, *lines)
    assert isinstance(problem, Problem)
    return problem


def test_a_plain_row_comes_as_it_was_given(tmp_path):
    row = {"messages": [{"role": "system", "content": "Be brief."}, ASK, ANSWER]}

    assert read(tmp_path, row) == [ChatExample(1, row)]


def test_a_row_keeps_keys_that_the_format_does_not_know_and_says_so(tmp_path):
    row = {"messages": [ASK, {**ANSWER, "mood": "calm"}], "source": "help desk"}

    *warnings, example = read(tmp_path, row)

    assert example == ChatExample(1, row)
    assert {(w.code, w.severity) for w in warnings} == {
        ("unrecognized_key", "warning"),
        ("message_unrecognized_key", "warning"),
    }


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "developer", "content": "Be brief."}, ASK, ANSWER]},
        {"messages": [ASK, {**ANSWER, "weight": 0}, ASK, {**ANSWER, "weight": 1}]},
        {"messages": [ASK, {"role": "assistant", "content": None, "tool_calls": [CALL]}]},
        {"messages": [ASK, {"role": "assistant", "tool_calls": [CALL]}]},
        {
            "messages": [
                ASK,
                {"role": "assistant", "content": "", "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_1", "content": "9-17"},
                ANSWER,
            ],
            "tools": [{"type": "function", "function": {"name": "hours", "parameters": {}}}],
            "parallel_tool_calls": False,
        },
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}, ANSWER]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image_url", "image_url": {"url": "https://x/y.png"}}],
                },
                ANSWER,
            ]
        },
        {"messages": [{**ASK, "name": "anna"}, ANSWER]},
        {"messages": [ASK, {"role": "assistant", "content": None, "refusal": "No."}]},
        {"messages": [ASK, {"role": "assistant", "content": 'He said "hi" \\ \\" 😀\n'}]},
    ],
)
def test_every_shape_that_openai_documents_is_taken_without_a_word(tmp_path, row):
    assert read(tmp_path, row) == [ChatExample(1, row)]


def test_a_row_without_an_answer_is_refused_in_openais_words(tmp_path):
    problem = the_problem(tmp_path, {"messages": [ASK]})

    assert problem.code == "example_missing_assistant_message"
    assert problem.message == (
        'Invalid file format. Line 1, key "messages": '
        "At least one message must be from the assistant."
    )


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ({"messages": []}, "missing_messages_list", "at least one message"),
        ({"messages": "hi"}, "missing_messages_list", "must be a list"),
        ({}, "missing_messages_list", '"messages" is missing'),
        ("{}[", "invalid_json", "column 3"),
        ("null", "data_type", "holds null"),
        ('"hi"', "data_type", "holds a string"),
        ("17", "data_type", "holds a number"),
        ("true", "data_type", "holds true or false"),
        ({"messages": ["hi", ASK, ANSWER]}, "data_type", "messages[0]"),
        ({"messages": [{"content": "x"}, ASK, ANSWER]}, "message_missing_key", '"role"'),
        ({"messages": [{"role": "user"}, ANSWER]}, "message_missing_key", '"content"'),
        ({"messages": [ASK, {"role": "gpt", "content": "x"}, ANSWER]}, "unrecognized_role", "gpt"),
        ({"messages": [{**ASK, "role": "human"}, ANSWER]}, "unrecognized_role", '"user" is meant'),
        ({"messages": [{**ASK, "role": "User"}, ANSWER]}, "unrecognized_role", "must be written"),
        ({"messages": [{**ASK, "role": 3}, ANSWER]}, "unrecognized_role", "must be a string"),
        (
            {"messages": [ASK, {"role": "function", "content": "x"}, ANSWER]},
            "unrecognized_role",
            "old word",
        ),
        ({"messages": [ASK, {**ANSWER, "content": ""}]}, "missing_content", "says nothing"),
        ({"messages": [ASK, {**ANSWER, "content": None}]}, "missing_content", "null"),
        ({"messages": [ASK, {**ANSWER, "content": []}]}, "missing_content", "at least one"),
        ({"messages": [ASK, {**ANSWER, "content": 5}]}, "data_type", "messages[1].content"),
        ({"messages": [ASK, {**ANSWER, "content": ["x"]}]}, "data_type", "content[0]"),
        ({"messages": [ASK, {**ANSWER, "content": [{"type": "text"}]}]}, "data_type", '"text"'),
        ({"messages": [ASK, {**ANSWER, "content": [{"type": "song"}]}]}, "data_type", "one of"),
        ({"messages": [ASK, {**ANSWER, "weight": 0.5}]}, "invalid_weight", "0 or 1"),
        ({"messages": [ASK, {**ANSWER, "weight": True}]}, "invalid_weight", "0 or 1"),
        ({"messages": [{**ASK, "weight": 1}, ANSWER]}, "invalid_weight", "Only assistant"),
        ({"messages": [{**ASK, "name": 1}, ANSWER]}, "data_type", "name"),
        ({"messages": [ASK, {**ANSWER, "tool_calls": []}]}, "invalid_tool_calls", "at least one"),
        ({"messages": [ASK, {**ANSWER, "tool_calls": [{}]}]}, "invalid_tool_calls", "arguments"),
        ({"messages": [{**ASK, "tool_calls": [CALL]}, ANSWER]}, "invalid_tool_calls", "Only"),
        (
            {"messages": [ASK, {"role": "tool", "content": "x"}, ANSWER]},
            "message_missing_key",
            "tool_call_id",
        ),
        ({"messages": [ASK, ANSWER], "tools": {}}, "invalid_tools", "list"),
        ({"messages": [ASK, ANSWER], "tools": [{}]}, "invalid_tools", "name"),
        ({"messages": [ASK, ANSWER], "parallel_tool_calls": 1}, "data_type", "true or false"),
    ],
)
def test_a_faulty_row_is_refused_with_its_reason(tmp_path, row, code, said):
    found = [problem for problem in read(tmp_path, "", row) if isinstance(problem, Problem)]

    problem = next(problem for problem in found if problem.code == code)
    assert problem.severity == "error"
    assert problem.line == 2
    assert "Line 2" in problem.message
    assert said in problem.message


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([{"role": "system", "content": "Be kind."}, ANSWER], "missing_user_message"),
        ([ASK, ANSWER, ASK], "ends_without_assistant"),
        ([ASK, {**ANSWER, "weight": 0}], "nothing_to_learn"),
        ([{**ASK, "content": " "}, ANSWER], "empty_content"),
        (
            [ASK, {"role": "tool", "tool_call_id": "call_9", "content": "x"}, ANSWER],
            "unknown_tool_call",
        ),
    ],
)
def test_an_odd_row_is_taken_with_a_warning(tmp_path, messages, code):
    warning, example = read(tmp_path, {"messages": messages})

    assert isinstance(warning, Problem)
    assert (warning.code, warning.severity) == (code, "warning")
    assert isinstance(example, ChatExample)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"chosen": "x", "rejected": "y", "conversations": []}, "preference (DPO)"),
        ({"input": {}, "preferred_output": [], "non_preferred_output": []}, "preference (DPO)"),
        ({"chosen_messages": [], "rejected_messages": []}, "preference (DPO)"),
        ({"instruction": "x", "input": "", "output": "y"}, "Alpaca"),
        ({"prompt": "x", "completion": "y"}, "prompt and completion"),
        ({"question": "x", "answer": "y"}, "question and answer"),
        ({"conversations": [{"from": "human", "value": "x"}]}, "ShareGPT"),
        ({"role": "user", "content": "x"}, "a single message"),
        ({"text": "x"}, "plain text"),
    ],
)
def test_another_format_is_named_in_the_complaint(tmp_path, row, kind):
    problem = the_problem(tmp_path, row)

    assert problem.code == "missing_messages_list"
    assert "this looks like" in problem.message
    assert kind in problem.message


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ('{"messages": [}', 15),
        ("{'messages': []}", 2),
        ('{"messages": [', 15),
        ('{"a": 1} {"b": 2}', 10),
        ('{"a": "tab\there"}', 11),
    ],
)
def test_broken_json_is_told_with_line_and_column(tmp_path, line, column):
    (example, problem) = read(tmp_path, {"messages": [ASK, ANSWER]}, line)

    assert isinstance(example, ChatExample)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column, problem.code) == (2, column, "invalid_json")
    assert f"Line 2, column {column}: not valid JSON" in problem.message


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('{"messages": NaN}', "invalid_json", "NaN"),
        ('{"messages": [], "x": -Infinity}', "invalid_json", "-Infinity"),
        ('{"x": 1e999}', "invalid_json", "too large"),
        ('{"x": ' + "9" * 5000 + "}", "invalid_json", "too many digits"),
        ('{"messages": [], "messages": []}', "duplicate_key", '"messages" is given twice'),
        ('{"x": "\\ud83d"}', "lone_surrogate", "half of a character"),
        ('{"\\udc00": 1}', "lone_surrogate", "half of a character"),
        ('{"x": ["\\u0000"]}', "nul_character", "NUL"),
        ('{"x": ' + "[" * 100 + "]" * 100 + "}", "too_deep", "nested"),
        ('{"x": ' + "[" * 100_000, "too_deep", "nested"),
        ('{"x": "\x00"}', "invalid_json", "column 8"),
    ],
)
def test_json_that_could_not_be_given_back_as_it_came_is_refused(tmp_path, line, code, said):
    problem = the_problem(tmp_path, line)

    assert (problem.line, problem.code) == (1, code)
    assert said in problem.message


def test_a_plain_row_with_a_key_given_twice_is_refused_too(tmp_path):
    row = (
        '{"messages": [{"role": "user", "role": "user", "content": "hi"},'
        ' {"role": "assistant", "content": "ho"}]}'
    )

    assert the_problem(tmp_path, row).code == "duplicate_key"


def test_a_plain_row_with_a_nul_character_is_refused_too(tmp_path):
    row = '{"messages": [{"role":"user","content":"\\u0000"},{"role":"assistant","content":"x"}]}'

    assert the_problem(tmp_path, row).code == "nul_character"


def test_a_backslash_before_u0000_is_only_text(tmp_path):
    row = {"messages": [{"role": "user", "content": r"what is \u0000"}, ANSWER]}

    assert read(tmp_path, row) == [ChatExample(1, row)]


def test_a_line_that_is_not_utf8_is_told_with_its_byte(tmp_path):
    row = b'{"messages": [{"role": "user", "content": "caf\xe9"}]}'

    problem = the_problem(tmp_path, "", row)

    assert (problem.line, problem.code, problem.column) == (2, "invalid_encoding", 47)
    assert "Line 2, byte 47: not UTF-8 (0xE9)" in problem.message


def test_a_row_that_is_wrong_throughout_is_told_a_few_times_and_errors_first(tmp_path):
    odd = {"role": "user", "content": "x", "a": 1, "b": 2}

    problems = read(tmp_path, {"messages": [odd] * 200})

    assert len(problems) == 20
    assert isinstance(problems[0], Problem)
    assert problems[0].code == "example_missing_assistant_message"


def test_the_last_answer_and_its_question_are_what_a_row_teaches():
    system = {"role": "system", "content": "Be brief."}
    again = [{"role": "user", "content": "And on Sunday?"}, {**ANSWER, "content": "Never."}]

    assert parse_prompt([system, ASK, ANSWER, *again]) == ("And on Sunday?", "Never.")
    assert parse_prompt([ASK, ANSWER, again[0]]) == ("When do you open?", "At nine.")
    assert parse_prompt([ASK, ANSWER, {**again[1], "weight": 0}]) == (
        "When do you open?",
        "At nine.",
    )
    assert parse_prompt([ASK, {"role": "assistant", "tool_calls": [CALL]}]) == (
        "When do you open?",
        None,
    )
    assert parse_prompt([system, ANSWER]) == (None, "At nine.")


def test_the_words_of_a_message_in_parts_are_its_text_parts():
    parts = [
        {"type": "text", "text": "What is"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
        {"type": "text", "text": "this?"},
    ]

    prompt = parse_prompt([{"role": "user", "content": parts}, ANSWER])

    assert prompt.question == "What is\nthis?"
