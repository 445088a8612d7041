"""`validatedataset`: what a file was taken for, what is wrong with it, what it costs."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from tests.dashboard.commands.running import refusal, rows, run, write

ASK = {"role": "user", "content": "When?"}
ANSWER = {"role": "assistant", "content": "At nine."}
GOOD = {"messages": [ASK, ANSWER]}


def test_it_says_what_the_file_was_taken_for(tmp_path):
    alpaca = {"instruction": "When?", "input": "", "output": "At nine."}
    path = write(tmp_path / "lessons.jsonl", *[alpaca] * 3)

    said = run("validatedataset", path)

    assert "Alpaca" in said
    assert "3 examples, fit for training" in said
    assert "Alpaca" not in run("validatedataset", path, "--format", "alpaca")


@pytest.mark.parametrize("option", [(), ("--format", "job-ids"), ("--json",)])
def test_the_original_bots_job_ids_are_no_examples_and_have_a_command_of_their_own(
    tmp_path, option
):
    path = write(tmp_path / "job_ids.json", [{"id": "ftjob-1", "description": "Rooms"}])
    out, err = io.StringIO(), io.StringIO()

    with pytest.raises(CommandError, match=r"holds job ids and no examples.*importjobs") as raised:
        call_command("validatedataset", str(path), *option, stdout=out, stderr=err)

    assert raised.value.returncode
    assert err.getvalue() == ""
    if option == ("--json",):
        told = json.loads(out.getvalue())
        assert (told["ok"], told["format"], told["examples"]) == (False, "job-ids", 0)


def test_a_targets_rules_decide_and_its_name_is_told(tmp_path):
    few = write(tmp_path / "few.jsonl", *[GOOD] * 3)
    enough = write(tmp_path / "enough.jsonl", *[GOOD] * 10)

    assert "must have at least 10 examples" in refusal("validatedataset", few, "--target", "openai")
    assert "fit for training at OpenAI" in run("validatedataset", enough, "--target", "openai")
    with pytest.raises(CommandError, match="invalid choice: 'moon'"):
        run("validatedataset", enough, "--target", "moon")


def test_errors_come_before_warnings_and_both_are_counted(tmp_path):
    odd = {"messages": [ANSWER]}
    path = write(tmp_path / "mixed.jsonl", odd, *["{oops"] * 25, odd, GOOD)
    err = io.StringIO()

    with pytest.raises(CommandError, match="25 errors, 2 warnings"):
        call_command("validatedataset", str(path), stdout=io.StringIO(), stderr=err)

    lines = err.getvalue().splitlines()
    assert [line.split(":")[0] for line in lines] == [
        *["error"] * 20,
        "... and 5 more errors",
        *["warning"] * 2,
    ]


def test_the_column_of_a_key_at_fault_is_told(tmp_path):
    row = {"messages": [{"role": "human", "content": "When?"}, ANSWER]}
    path = write(tmp_path / "roles.jsonl", row)
    err = io.StringIO()

    with pytest.raises(CommandError):
        call_command("validatedataset", str(path), stdout=io.StringIO(), stderr=err)

    column = json.dumps(row).index('"role"') + 1
    assert f"(column {column})" in err.getvalue()


def test_tokens_are_charted_with_what_a_training_is_billed(tmp_path):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 10)

    said = run("validatedataset", path, "--target", "openai", "--tokens")

    assert "Tokens (o200k_base): 160 in all; 16 to 16 an example" in said
    assert f"16 to 31 | {'#' * 40} 10" in said
    assert "trains 10 times over them: 1,600 tokens are billed" in said


def test_programs_are_told_the_same(tmp_path):
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 10)

    (told,) = rows("validatedataset", path, "--target", "azure", "--tokens")

    assert (told["ok"], told["format"], told["target"]) == (True, "chat-jsonl", "azure")
    assert (told["errors"], told["n_errors"], told["n_warnings"]) == ([], 0, 1)
    assert [each["code"] for each in told["warnings"]] == ["missing_byte_order_mark"]
    assert (told["tokens"]["total"], told["tokens"]["billed"]) == (160, 1600)
    assert told["tokens"]["histogram"] == [{"low": 16, "high": 31, "n_examples": 10}]


def test_examples_that_are_cut_off_are_named_and_counted(tmp_path):
    long = {"messages": [{"role": "user", "content": "kiln " * 70_000}, ANSWER]}
    path = write(tmp_path / "lessons.jsonl", *[GOOD] * 10, long)
    out, err = io.StringIO(), io.StringIO()

    call_command(
        "validatedataset", str(path), "--target", "openai", "--tokens", stdout=out, stderr=err
    )

    assert "Line 11: this example has" in err.getvalue()
    assert "1 examples have more than 65,536 tokens" in out.getvalue()


def test_columns_and_the_label_of_a_batch_are_named_as_for_an_import(tmp_path):
    table = tmp_path / "shop.csv"
    table.write_text("frage,antwort\nWhen?,At nine.\n", encoding="utf-8")
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "rain.txt").write_text("It rains.", encoding="utf-8")

    by_columns = run(
        "validatedataset", table, "--map", "prompt=frage", "--map", "completion=antwort"
    )
    by_label = run("validatedataset", texts, "--positive", "False")

    assert "1 examples, fit for training" in by_columns
    assert "1 examples, fit for training" in by_label
    assert "has no label" in refusal("validatedataset", texts)
