"""Tables: which column is what, proposed, refused and applied."""

import json
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from tests.trainerbot.formats.files import chat, problems, records, write
from trainerbot.formats import Kind, Problem, Row, detect, mapping, read
from trainerbot.formats.rows import Options

HI = chat(("user", "hi"), ("assistant", "HI!"))
ALPHA_BETA = {"prompt": "alpha", "completion": "beta"}


@pytest.mark.parametrize(
    ("columns", "proposed", "kind"),
    [
        (["Question", "Answer"], {"prompt": "Question", "completion": "Answer"}, Kind.CHAT),
        (["Вопрос", "Ответ"], {"prompt": "Вопрос", "completion": "Ответ"}, Kind.CHAT),
        (
            ["id", "user_message", "assistant-message", "System Prompt"],
            {
                "prompt": "user_message",
                "completion": "assistant-message",
                "system": "System Prompt",
            },
            Kind.CHAT,
        ),
        (
            ["текст", "Класс", "имя"],
            {"text": "текст", "label": "Класс", "name": "имя"},
            Kind.LABELLED,
        ),
        (["review", "sentiment"], {"text": "review", "label": "sentiment"}, Kind.LABELLED),
        (
            ["prompt", "chosen", "rejected"],
            {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected"},
            Kind.PREFERENCE,
        ),
        (["messages", "id"], {"messages": "messages"}, Kind.CHAT),
        (["a", "b"], {}, None),
        (["question"], {}, None),
    ],
)
def test_usual_names_of_columns_are_known_in_two_languages(columns, proposed, kind):
    found = mapping.propose(columns)

    assert found == proposed
    assert mapping.kind_of(found) == kind


def test_a_table_is_read_through_the_proposed_mapping(tmp_path):
    path = write(tmp_path, "Вопрос;Ответ\nhi;HI!\n;nothing\n")

    detected = detect(path)
    found = list(read(path, format="table", options=Options(mapping=detected.mapping)))

    assert (detected.format, detected.kind, detected.problem) == ("table", Kind.CHAT, None)
    assert detected.columns == ("Вопрос", "Ответ")
    assert "2 rows" in detected.said
    assert "prompt from Вопрос, completion from Ответ" in detected.said
    assert records_of(found) == [HI]
    assert [(each.line, each.code) for each in problems(found)] == [(2, "missing_content")]
    assert 'column "Вопрос"' in problems(found)[0].message


def records_of(found: list[Row | Problem]) -> list[dict[str, Any]]:
    return [each.record for each in found if isinstance(each, Row)]


def test_a_table_of_unknown_columns_asks_which_is_which(tmp_path):
    path = write(tmp_path, "alpha,beta\nhi,HI!\n")

    detected = detect(path)

    assert (detected.format, detected.kind) == ("table", None)
    assert detected.problem is not None
    assert detected.problem.code == "mapping_needed"
    assert "alpha, beta" in detected.problem.message
    assert records(path, "table", mapping=ALPHA_BETA) == [HI]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(), "Say which columns"),
        (Options(mapping={"prompt": "q"}), "Say which columns"),
        (Options(mapping={"prompt": "q", "completion": "c"}), 'no column "c"'),
        (Options(mapping={"question": "q"}), 'no field "question"'),
        (Options(mapping={"text": "q"}), "needs a label"),
    ],
)
def test_a_mapping_that_does_not_suffice_is_refused_once(tmp_path, options, said):
    path = write(tmp_path, "q,a\nhi,HI!\nhi,HI!\n")

    (problem,) = problems(read(path, format="table", options=options))

    assert (problem.line, problem.code) == (0, "invalid_mapping")
    assert said in problem.message


def test_json_of_unknown_keys_can_be_mapped_too(tmp_path):
    path = write(tmp_path, '{"alpha": "hi", "beta": "HI!"}\n{"alpha": "hi"}')

    detected = detect(path)
    found = list(read(path, format="table", options=Options(mapping=ALPHA_BETA)))

    assert (detected.format, detected.columns) == ("table", ("alpha", "beta"))
    assert records_of(found) == [HI]
    assert [each.line for each in problems(found)] == [2]


def test_one_label_serves_a_table_without_labels(tmp_path):
    path = write(tmp_path, "text\tname\nbuy\ta\n")

    detected = detect(path)

    assert "one label for all" in detected.said
    assert records(path, "table", mapping=detected.mapping, label="online_store") == [
        {"text": "buy", "label": "positive", "name": "a"}
    ]


def test_messages_may_lie_in_a_column_as_json(tmp_path):
    cell = json.dumps(HI["messages"]).replace('"', '""')
    path = write(tmp_path, f'n,messages\n1,"{cell}"\n')

    detected = detect(path)

    assert detected.format == "sharegpt"
    assert records(path, "sharegpt") == [HI]
    assert records(path, "table", mapping={"messages": "messages"}) == [HI]


def test_a_table_with_the_columns_of_another_format_is_that_format(tmp_path):
    path = write(tmp_path, "instruction,input,output\nAdd,1,2\n")

    detected = detect(path)

    assert detected.format == "alpaca"
    assert records(path, "alpaca") == [chat(("user", "Add\n1"), ("assistant", "2"))]


def test_parquet_keeps_its_lists(tmp_path):
    path = tmp_path / "upload"
    parquet.write_table(pyarrow.table({"messages": [HI["messages"]], "n": [1]}), path)

    detected = detect(path)

    assert detected.format == "chat-jsonl"
    assert [r["messages"] for r in records_of(list(read(path, format="chat-jsonl")))] == [
        HI["messages"]
    ]
