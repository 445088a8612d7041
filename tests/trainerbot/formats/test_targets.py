"""A file checked for one place to train at: limits, kinds, lengths, columns."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainerbot.errors import InvalidInput
from trainerbot.formats import Report, check
from trainerbot.formats.columns import column_of

ASK = {"role": "user", "content": "When?"}
ANSWER = {"role": "assistant", "content": "At nine."}
CHAT = {"messages": [ASK, ANSWER]}
PREFERENCE = {
    "input": {"messages": [ASK]},
    "preferred_output": [ANSWER],
    "non_preferred_output": [{"role": "assistant", "content": "Who knows."}],
}


def check_rows(tmp_path: Path, *rows: Any, **wishes: Any) -> Report:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return check(path, **{"max_bytes": 2**30, **wishes})


def codes(report: Report) -> list[str]:
    return [problem.code for problem in report.problems]


@pytest.mark.parametrize(
    ("target", "n_rows", "said"),
    [
        ("openai", 9, "has 9 example(s), but must have at least 10 examples"),
        ("azure", 9, "at least 10 examples"),
        ("modelserver", 9, "at least 10 examples"),
        ("openai", 10, ""),
        ("nebius", 1, ""),
        ("any", 1, ""),
    ],
)
def test_each_target_has_its_own_least_number_of_examples(tmp_path, target, n_rows, said):
    report = check_rows(tmp_path, *[CHAT] * n_rows, target=target)

    assert report.ok == (not said)
    assert said in (report.first_error.message if report.first_error else "")


def test_the_least_number_can_be_given(tmp_path):
    assert check_rows(tmp_path, CHAT, target="openai", min_examples=1).ok


def test_an_unknown_target_and_an_unknown_format_are_refused_in_words(tmp_path):
    with pytest.raises(InvalidInput, match="There is no target 'moon'"):
        check_rows(tmp_path, CHAT, target="moon")
    with pytest.raises(InvalidInput, match='There is no format "moon"'):
        check_rows(tmp_path, CHAT, format="moon")


def test_azure_is_warned_of_a_missing_byte_order_mark(tmp_path):
    report = check_rows(tmp_path, *[CHAT] * 10, target="azure")
    marked = tmp_path / "marked.jsonl"
    marked.write_bytes(b"\xef\xbb\xbf" + (json.dumps(CHAT).encode() + b"\n") * 10)

    assert (codes(report), report.ok) == (["missing_byte_order_mark"], True)
    assert codes(check(marked, target="azure", max_bytes=2**30)) == []


def test_a_row_of_a_kind_that_a_target_does_not_train_on_is_said_once(tmp_path):
    rows = [{"text": "kiln", "label": "positive"}] * 30

    report = check_rows(tmp_path, *rows, format="labelled-json", target="openai")

    assert codes(report) == ["unsupported_kind"]
    assert report.first_error is not None
    assert report.first_error.message == (
        "OpenAI trains on chat and preference examples; this file has labelled examples."
    )
    assert check_rows(tmp_path, *rows, format="labelled-json", target="any").n_examples == 30


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"preferred_output": [ANSWER, ANSWER]}, "data_type", "error"),
        ({"non_preferred_output": [ANSWER]}, "nothing_to_learn", "warning"),
        (
            {
                "input": {
                    "messages": [
                        {
                            "role": "user",
                            "content": [{"type": "image_url", "image_url": {"url": "https://x/y"}}],
                        }
                    ]
                }
            },
            "unsupported_content",
            "error",
        ),
    ],
)
def test_preference_data_is_held_to_openais_rules(tmp_path, changes, code, severity):
    report = check_rows(tmp_path, {**PREFERENCE, **changes}, format="dpo-jsonl", target="any")

    assert (code, severity) in [(each.code, each.severity) for each in report.problems]


def test_good_preference_data_is_taken(tmp_path):
    report = check_rows(tmp_path, *[PREFERENCE] * 10, format="dpo-jsonl", target="openai")

    assert (report.ok, report.n_examples, report.problems) == (True, 10, ())


def long_row(n_words: int) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "kiln " * n_words}, ANSWER]}


@pytest.mark.parametrize("with_tokens", [False, True])
def test_an_example_that_would_be_cut_off_is_named(tmp_path, with_tokens):
    rows = [CHAT] * 9 + [long_row(70_000), long_row(20_000)]

    report = check_rows(tmp_path, *rows, target="openai", with_tokens=with_tokens)

    (problem,) = report.problems
    assert (problem.line, problem.code, problem.severity) == (10, "example_truncated", "warning")
    assert "OpenAI reads 65,536 and cuts off the end" in problem.message
    assert report.ok
    assert report.n_examples == 11


def test_tokens_are_counted_when_they_are_asked_for(tmp_path):
    report = check_rows(tmp_path, *[CHAT] * 10, target="openai", with_tokens=True)

    assert report.tokens is not None
    assert (report.tokens.encoding, report.tokens.n_counted) == ("o200k_base", 10)
    # "When?" is two tokens, "At nine." three, each role one.
    assert report.tokens.total == 10 * (3 + 3 + 1 + 2 + 3 + 1 + 3)
    assert check_rows(tmp_path, CHAT).tokens is None


def test_progress_ends_at_the_whole_file_and_may_stop_the_reading(tmp_path):
    told: list[tuple[int, int]] = []
    report = check_rows(tmp_path, *[long_row(500)] * 1000, progress=lambda *at: told.append(at))

    assert told[-1] == (report.n_bytes, report.n_bytes)
    assert len(told) >= 2
    assert told == sorted(told)

    def stop(done_bytes: int, total_bytes: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        check_rows(tmp_path, CHAT, progress=stop)


def test_a_fault_of_a_key_is_told_with_the_keys_column(tmp_path):
    row = {"messages": [ASK, {"role": "gpt", "content": "x"}, ANSWER], "source": "é"}

    found = check_rows(tmp_path, row, target="any").problems

    line = json.dumps(row)
    assert {(each.key, each.column) for each in found} == {
        ("source", line.index('"source"') + 1),
        ("messages[1].role", line.index('"role": "gpt"') + 1),
    }


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("messages", 3),
        ("messages[0]", 16),
        ("messages[0].role", 17),
        ("messages[1].content[0]", 66),
        ("messages[1].content[0].type", 67),
        ("messages[9]", None),
        ("messages.x", None),
        ("nix", None),
        ("a.b", None),
        ("", None),
        ("[0]", None),
    ],
)
def test_the_column_of_a_key_is_that_of_its_first_quote(key, column):
    text = '{ "messages" :[{"role": "user"}, {"role":"assistant", "content":[{"type":"t"}]}] }'

    assert column_of(text, key) == column
