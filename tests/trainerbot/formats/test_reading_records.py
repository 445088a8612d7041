"""What each format's records become: chats, preferences, judged answers, labelled texts."""

import json
from typing import Any

import pytest

from tests.trainerbot.formats.files import chat, jsonl, problems, records, write
from trainerbot.formats import Kind, Row, detect, read

ASK = {"role": "user", "content": "Is it open?"}
YES = {"role": "assistant", "content": "Yes, until nine."}
NO = {"role": "assistant", "content": "No idea."}
ASKED = chat(("user", "Is it open?"), ("assistant", "Yes, until nine."))
PREFERRED = {
    "input": {"messages": [ASK]},
    "preferred_output": [YES],
    "non_preferred_output": [NO],
}
JUDGED = {"prompt": [ASK], "completion": [YES], "label": True}
WEATHER = {"name": "weather", "description": "The weather", "parameters": {}}
CALL = {
    "type": "function",
    "id": "call_1",
    "function": {"name": "weather", "arguments": '{"city": "Riga"}'},
}

CHATS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("chat-jsonl", ASKED, ASKED),
    (
        "alpaca",
        {"instruction": "Is it open?", "input": "", "output": "Yes, until nine."},
        ASKED,
    ),
    (
        "alpaca",
        {
            "instruction": "Translate",
            "input": "maja",
            "output": "house",
            "system": "You translate.",
            "history": [["Ready?", "Yes."]],
        },
        chat(
            ("system", "You translate."),
            ("user", "Ready?"),
            ("assistant", "Yes."),
            ("user", "Translate\nmaja"),
            ("assistant", "house"),
        ),
    ),
    (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "Is it open?"},
                {"from": "gpt", "value": "Yes, until nine."},
            ],
            "system": "You keep a shop.",
        },
        chat(
            ("system", "You keep a shop."),
            ("user", "Is it open?"),
            ("assistant", "Yes, until nine."),
        ),
    ),
    (
        "sharegpt",
        {
            "conversations": [
                {"from": "human", "value": "Riga?"},
                {
                    "from": "function_call",
                    "value": '{"name": "weather", "arguments": {"city": "Riga"}}',
                },
                {"from": "observation", "value": "Rain."},
                {"from": "gpt", "value": "It rains."},
            ],
            "tools": json.dumps([WEATHER]),
        },
        {
            "messages": [
                {"role": "user", "content": "Riga?"},
                {"role": "assistant", "tool_calls": [CALL]},
                {"role": "tool", "content": "Rain.", "tool_call_id": "call_1"},
                {"role": "assistant", "content": "It rains."},
            ],
            "tools": [{"type": "function", "function": WEATHER}],
        },
    ),
    (
        "sharegpt",
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "value": "Is it open?"}]},
                {
                    "role": "assistant",
                    "content": [{"type": "text", "value": "Yes, until nine."}],
                    "loss_weight": 1.0,
                },
            ]
        },
        {"messages": [ASK, {**YES, "weight": 1}]},
    ),
    ("prompt-completion", {"prompt": "Is it open?", "completion": "Yes, until nine."}, ASKED),
    ("prompt-completion", {"prompt": "Is it open?", "response": "Yes, until nine."}, ASKED),
    ("prompt-completion", {"instruction": "Is it open?", "response": "Yes, until nine."}, ASKED),
    ("prompt-completion", {"input": "Is it open?", "output": "Yes, until nine."}, ASKED),
    ("prompt-completion", {"prompt": [ASK], "completion": [YES]}, ASKED),
    ("question-answer", {"question": "Is it open?", "answer": "Yes, until nine."}, ASKED),
]

OTHERS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("dpo-jsonl", PREFERRED, PREFERRED),
    (
        "llamafactory-dpo",
        {
            "conversations": [{"from": "human", "value": "Is it open?"}],
            "chosen": {"from": "gpt", "value": "Yes, until nine."},
            "rejected": {"from": "gpt", "value": "No idea."},
        },
        PREFERRED,
    ),
    (
        "llamafactory-dpo",
        {
            "instruction": "Is it open?",
            "input": "",
            "chosen": "Yes, until nine.",
            "rejected": "No idea.",
        },
        PREFERRED,
    ),
    (
        "preference-pairs",
        {"prompt": "Is it open?", "chosen": "Yes, until nine.", "rejected": "No idea."},
        PREFERRED,
    ),
    ("preference-pairs", {"prompt": [ASK], "chosen": [YES], "rejected": [NO]}, PREFERRED),
    ("preference-pairs", {"chosen": [ASK, YES], "rejected": [ASK, NO]}, PREFERRED),
    (
        "preference-pairs",
        {"prompt": "Is it open?", "chosen": [ASK, YES], "rejected": [ASK, NO]},
        PREFERRED,
    ),
    (
        "preference-pairs",
        {
            "chosen": "\n\nHuman: Is it open?\n\nAssistant: Yes, until nine.",
            "rejected": "\n\nHuman: Is it open?\n\nAssistant: No idea.",
        },
        PREFERRED,
    ),
    (
        "kto-jsonl",
        {"prompt": "Is it open?", "completion": "Yes, until nine.", "label": True},
        JUDGED,
    ),
    ("kto-jsonl", JUDGED, JUDGED),
    ("llamafactory-kto", {"messages": [ASK, YES], "label": True}, JUDGED),
    (
        "llamafactory-kto",
        {"instruction": "Is it open?", "output": "Yes, until nine.", "kto_tag": True},
        JUDGED,
    ),
    (
        "labelled-json",
        {"text": "Buy now", "label": "online_store", "name": "a.html"},
        {"text": "Buy now", "label": "positive", "name": "a.html"},
    ),
    (
        "labelled-json",
        {"text": "The news", "label": False},
        {"text": "The news", "label": "negative"},
    ),
    ("labelled-json", {"text": "Hm", "label": "Spam"}, {"text": "Hm", "label": "Spam"}),
]


@pytest.mark.parametrize(("format", "given", "record"), CHATS + OTHERS)
@pytest.mark.origin(23)
def test_a_record_is_recognised_and_becomes_one_of_ours(tmp_path, format, given, record):
    path = write(tmp_path, jsonl(given, given))

    detected = detect(path)

    assert (detected.format, detected.problem) == (format, None)
    assert "2 rows" in detected.said
    assert records(path, format) == [record, record]
    assert [row.record for row in detected.sample if isinstance(row, Row)] == [record, record]


@pytest.mark.parametrize(("format", "given", "record"), CHATS + OTHERS)
@pytest.mark.parametrize("indent", [None, 2])
def test_an_array_holds_what_lines_hold(tmp_path, format, given, record, indent):
    path = write(tmp_path, json.dumps([given, given], indent=indent))

    found = list(read(path, format=format))

    assert found == [Row(line, record, detect(path).kind or Kind.CHAT) for line in (1, 2)]


def test_one_object_spread_over_lines_is_one_row(tmp_path):
    path = write(tmp_path, json.dumps(ASKED, indent=2))

    assert detect(path).format == "chat-jsonl"
    assert records(path, "chat-jsonl") == [ASKED]


@pytest.mark.origin(23)
def test_the_batchs_label_is_for_records_without_one(tmp_path):
    path = write(tmp_path, jsonl({"text": "a"}, {"text": "b", "label": "positive"}))

    found = records(path, "labelled-json", label="not_online_store")

    assert [record["label"] for record in found] == ["negative", "positive"]


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("alpaca", {"instruction": "x", "output": ""}, "missing_content", 'key "output"'),
    ("alpaca", {"instruction": "x", "output": 3}, "data_type", 'key "output"'),
    ("alpaca", {"instruction": "", "output": "x"}, "missing_content", 'key "instruction"'),
    ("alpaca", {"question": "x", "answer": "y"}, "message_missing_key", "questions and answers"),
    (
        "alpaca",
        {"instruction": "x", "output": "y", "history": [["a"]]},
        "data_type",
        'key "history[0]"',
    ),
    (
        "sharegpt",
        {"conversations": [{"from": "alien", "value": "x"}]},
        "unrecognized_role",
        'key "conversations[0].from": There is no role "alien".',
    ),
    ("sharegpt", {"conversations": []}, "missing_messages_list", 'key "conversations"'),
    (
        "sharegpt",
        {"conversations": [{"from": "function_call", "value": "weather(Riga)"}]},
        "invalid_tool_calls",
        'key "conversations[0]"',
    ),
    (
        "sharegpt",
        {"conversations": [{"from": "human", "value": "x"}]},
        "example_missing_assistant_message",
        "from the assistant",
    ),
    (
        "sharegpt",
        {"conversations": [{"from": "observation", "value": "x"}]},
        "message_missing_key",
        "no call",
    ),
    ("dpo-jsonl", {**PREFERRED, "preferred_output": []}, "missing_messages_list", "preferred"),
    ("dpo-jsonl", {**PREFERRED, "preferred_output": [ASK]}, "data_type", 'key "preferred_output"'),
    ("dpo-jsonl", {**PREFERRED, "input": {}}, "missing_messages_list", 'key "input.messages"'),
    ("dpo-jsonl", {**PREFERRED, "input": "x"}, "data_type", 'key "input"'),
    (
        "preference-pairs",
        {"chosen": "a", "rejected": "b"},
        "message_missing_key",
        'key "prompt"',
    ),
    (
        "preference-pairs",
        {"prompt": "a", "chosen": "b", "rejected": " "},
        "missing_content",
        'key "rejected"',
    ),
    ("kto-jsonl", {**JUDGED, "label": "maybe"}, "data_type", 'key "label"'),
    ("llamafactory-kto", {"messages": [YES, ASK], "label": True}, "data_type", 'key "messages"'),
    ("labelled-json", {"text": "x"}, "missing_label", 'key "label"'),
    ("labelled-json", {"text": " ", "label": "x"}, "missing_content", 'key "text"'),
]


@pytest.mark.parametrize(("format", "given", "code", "said"), REFUSED)
@pytest.mark.origin(23)
def test_a_record_that_does_not_fit_is_refused_by_line_and_key(tmp_path, format, given, code, said):
    path = write(tmp_path, json.dumps([given]))

    (problem,) = list(read(path, format=format))

    assert problems([problem]) == [problem]
    assert (problem.line, problem.code) == (1, code)
    assert problem.message.startswith("Invalid file format. Line 1")
    assert said in problem.message


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"context": "c", "question": "q", "answer": "a", "id": 1},
            "Questions and answers: 1 row of context, question, answer, id (JSONL). "
            "Left out: context, id.",
        ),
        (
            {"instruction": "q", "input": "", "output": "a"},
            "Alpaca data: 1 row of instruction, input, output (JSONL).",
        ),
        ({**ASKED, "split": "train"}, "OpenAI chat data: 1 row of messages, split (JSONL)."),
    ],
)
def test_what_is_left_out_of_records_is_said(tmp_path, given, said):
    assert detect(write(tmp_path, jsonl(given))).said == said


def test_an_answer_that_is_json_stays_a_text(tmp_path):
    given = {"prompt": "x", "chosen": '{"a": 1}', "rejected": "[1]"}
    path = write(tmp_path, jsonl(given))

    (record,) = records(path, "preference-pairs")

    assert record["preferred_output"][0]["content"] == '{"a": 1}'
    assert record["non_preferred_output"][0]["content"] == "[1]"


def test_parallel_calls_are_answered_in_their_order(tmp_path):
    calls = [{"name": "a", "arguments": {}}, {"name": "b", "arguments": {}}]
    turns = [
        {"from": "human", "value": "Both?"},
        {"from": "function_call", "value": json.dumps(calls)},
        {"from": "observation", "value": "1"},
        {"from": "observation", "value": "2"},
        {"from": "gpt", "value": "Both."},
    ]
    path = write(tmp_path, jsonl({"conversations": turns}))

    (record,) = records(path, "sharegpt")

    assert [call["id"] for call in record["messages"][1]["tool_calls"]] == ["call_1", "call_2"]
    assert [m["tool_call_id"] for m in record["messages"][2:4]] == ["call_1", "call_2"]


def test_a_wrong_answer_of_a_pair_is_named_as_the_row_names_it(tmp_path):
    wrong = {**PREFERRED, "non_preferred_output": [{"role": "assistant", "content": ""}]}
    path = write(tmp_path, jsonl(wrong))

    (problem,) = problems(read(path, format="dpo-jsonl"))

    assert 'key "non_preferred_output[0].content"' in problem.message
