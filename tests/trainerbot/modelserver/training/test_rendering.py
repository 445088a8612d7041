"""Which tokens of a row are learned, by the template of the model and whatever that lacks."""

import pytest

from tests.trainerbot.modelserver.training.tiny import CHATML, make_tokenizer, pair
from trainerbot.errors import InvalidInput
from trainerbot.modelserver.trainers.lora.rows import PairRow, chat_row, read_rows

pytestmark = pytest.mark.train

# An answer ends here without a mark.
BARE = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\\n' }}{% endfor %}"
# As some models do: earlier answers are shown without their thoughts.
FORGETFUL = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' }}"
    "{% if loop.last and m['role'] == 'assistant' %}{{ '(thought) ' }}{% endif %}"
    "{{ m['content'] + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
TOOLS = (
    "{% if tools %}{{ 'TOOLS ' + tools[0]['function']['name'] + '\\n' }}{% endif %}"
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\\n' + m['content'] }}"
    "{% for call in m.tool_calls or [] %}{{ call.function.name ~ ':' ~ call.function.arguments.x }}"
    "{% endfor %}{{ '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

SYSTEM = {"role": "system", "content": "Be brief."}
HI = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello."}
BYE = {"role": "user", "content": "Bye"}
SO_LONG = {"role": "assistant", "content": "So long."}
CALL = {
    "id": "c",
    "type": "function",
    "function": {"name": "price", "arguments": '{"x": 7}'},
}


def make_renderer(template=CHATML, *, max_tokens=1000):
    from trainerbot.modelserver.trainers.lora.rendering import Renderer

    return Renderer(make_tokenizer(template), end_ids=(), max_tokens=max_tokens)


def learned(messages, template=CHATML, *, tools=None, **options):
    """The words that are learned, in pieces that follow each other, and the whole text."""
    tokenizer = make_tokenizer(template)
    row = chat_row({"messages": messages, "tools": tools})
    assert row is not None
    sample = make_renderer(template, **options).sample(row)
    if sample is None:
        return None
    pieces, before = [], -100
    for label in sample.labels:
        if label != -100:
            pieces[len(pieces) - (before != -100) :] = [
                (pieces[-1] if before != -100 else "") + tokenizer.decode([label])
            ]
        before = label
    return pieces, tokenizer.decode(sample.input_ids)


def test_only_the_assistants_words_are_learned_each_to_its_end():
    pieces, text = learned([SYSTEM, HI, HELLO, BYE, SO_LONG])

    assert pieces == ["Hello.<|im_end|>", "So long.<|im_end|>"]
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi")
    assert text.endswith("So long.<|im_end|>")


def test_an_answer_of_weight_0_is_read_and_not_learned():
    pieces, text = learned([HI, {**HELLO, "weight": 0}, BYE, {**SO_LONG, "weight": 1}])

    assert pieces == ["So long.<|im_end|>"]
    assert "Hello." in text
    assert learned([HI, {**HELLO, "weight": 0}]) is None


def test_a_template_that_ends_no_answer_gets_an_end():
    pieces, text = learned([HI, HELLO], BARE)

    # What begins an answer is learned too: no prompt will say it.
    assert pieces == ["assistant: Hello.\n<|im_end|>"]
    assert text == "user: Hi\nassistant: Hello.\n<|im_end|>"


def test_where_earlier_answers_are_shown_otherwise_only_the_last_is_learned():
    pieces, _ = learned([HI, HELLO, BYE, SO_LONG], FORGETFUL)

    assert pieces == ["(thought) So long.<|im_end|>"]


def test_a_template_without_system_messages_gets_them_with_the_question():
    pieces, text = learned([SYSTEM, HI, HELLO], NO_SYSTEM + CHATML)

    assert pieces == ["Hello.<|im_end|>"]
    assert text.startswith("<|im_start|>user\nBe brief.\n\nHi<|im_end|>")


def test_a_call_of_a_tool_is_learned_where_the_template_knows_tools():
    tools = [{"type": "function", "function": {"name": "price"}}]
    messages = [HI, {"role": "assistant", "tool_calls": [CALL]}]

    pieces, text = learned(messages, TOOLS, tools=tools)

    assert pieces == ["price:7<|im_end|>"]
    assert text.startswith("TOOLS price\n")
    assert learned(messages, CHATML, tools=tools) is None


def test_a_conversation_that_begins_with_the_answer_is_learned_too():
    pieces, _ = learned([HELLO, BYE, SO_LONG])

    assert pieces == ["Hello.<|im_end|>", "So long.<|im_end|>"]


def test_a_row_that_is_too_long_is_cut_at_its_end():
    row = chat_row({"messages": [HI, HELLO]})
    whole = make_renderer().sample(row)

    cut = make_renderer(max_tokens=len(whole.input_ids) - 3).sample(row)

    assert (whole.truncated, cut.truncated) == (False, True)
    assert cut.input_ids == whole.input_ids[:-3]
    assert make_renderer(max_tokens=16).sample(row) is None


def test_parts_of_text_are_joined_and_other_parts_leave_the_row_out():
    text = {"type": "text", "text": "Hi"}
    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}

    _, shown = learned([{"role": "user", "content": [text, text]}, HELLO])

    assert "Hi\nHi<|im_end|>" in shown
    assert chat_row({"messages": [{"role": "user", "content": [text, image]}, HELLO]}) is None


def test_a_pair_shares_its_prompt_and_ends_both_answers():
    tokenizer = make_tokenizer()
    row = pair("Hi", "Hello, you.", "Hello, no.")

    made = make_renderer().pair(
        PairRow(row["input"]["messages"], row["preferred_output"], row["non_preferred_output"])
    )

    assert tokenizer.decode(made.prompt_ids).endswith("<|im_start|>assistant\n")
    assert tokenizer.decode(made.chosen_ids) == "Hello, you.<|im_end|>"
    assert tokenizer.decode(made.rejected_ids) == "Hello, no.<|im_end|>"
    assert made.n_tokens == 2 * len(made.prompt_ids) + len(made.chosen_ids + made.rejected_ids)


def test_a_pair_of_equal_answers_or_without_room_for_one_teaches_nothing():
    assert make_renderer().pair(PairRow([HI], [HELLO], [HELLO])) is None
    assert make_renderer(max_tokens=8).pair(PairRow([HI], [HELLO], [SO_LONG])) is None


def test_a_model_without_a_chat_template_is_refused():
    with pytest.raises(InvalidInput, match="no chat template"):
        make_renderer(None)


def test_files_are_read_row_by_row_and_odd_rows_are_marked(tmp_path):
    import json

    image = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    rows = [
        {"messages": [{"role": "developer", "content": "Be brief."}, HI, HELLO]},
        {"messages": [{"role": "user", "content": [image]}, HELLO]},
    ]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))

    first, second = read_rows(str(path), "chat")

    assert first.messages[0] == {"role": "system", "content": "Be brief."}
    assert (first.learned, second) == ([2], None)
