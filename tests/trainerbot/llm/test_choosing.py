"""One of some labels, or none of them, and what was said in either case."""

import pytest

from tests.fakes.openai_endpoint import Reply, error_body
from trainerbot.errors import ProviderUnavailable
from trainerbot.llm.choosing import Choice, choose, read_label
from trainerbot.messages import ChatMessage, Role

PAGE = (ChatMessage(Role.USER, "Add to basket"),)
LABELS = ("positive", "negative")


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ('{"label":"positive"}', "positive"),
        ('{\n "label": "negative"\n}', "negative"),
        ('{"class": "negative"}', "negative"),
        ('```json\n{"label": "positive"}\n```', "positive"),
        ("positive", "positive"),
        (" Positive.\n", "positive"),
        ('"NEGATIVE"', "negative"),
        ("**negative**", "negative"),
        ("It is positive", None),
        ("not positive", None),
        ("positive negative", None),
        ('{"label":"neutral"}', None),
        ('{"label":["positive"]}', None),
        ('{"label":"positive","why":"x"}', None),
        ('{"label":', None),
        ("[" * 100_000, None),
        ("", None),
        ("…", None),
    ],
)
def test_an_answer_is_a_label_or_none(said, label):
    assert read_label(said, LABELS) == label


def test_labels_that_differ_only_in_case_are_told_apart_by_it():
    assert read_label("US", ("us", "US")) == "US"
    assert read_label("Us", ("us", "US")) is None


def test_labels_of_mere_signs_are_read_as_they_stand():
    assert read_label(" ? ", ("?", "!")) == "?"


async def test_the_label_comes_with_the_words_it_came_in(fake, chat):
    fake.default = Reply(pieces=('{"label":', '"negative"}'))

    choice = await choose(chat, PAGE, model="small", choices=LABELS)

    assert choice == Choice("negative", '{"label":"negative"}', is_constrained=True)
    assert fake.chats[0]["temperature"] == 0
    assert 40 <= fake.chats[0]["max_tokens"] <= 80


async def test_words_of_an_endpoint_that_binds_nobody_are_matched(fake, chat):
    fake.default = Reply(pieces=("Negative!",), refuses={"response_format": "unknown"})

    choice = await choose(chat, PAGE, model="small", choices=LABELS)

    assert choice == Choice("negative", "Negative!", is_constrained=False)


async def test_an_answer_that_is_no_label_is_kept_as_it_is(fake, chat):
    fake.default = Reply(pieces=("I cannot tell.",))

    choice = await choose(chat, PAGE, model="small", choices=LABELS)

    assert (choice.label, choice.text) == (None, "I cannot tell.")


async def test_a_model_that_used_up_its_room_for_thinking_gets_more_once(fake, chat):
    thinking = Reply(pieces=(), finish_reason="length")
    fake.replies = [thinking, Reply(pieces=("positive",))]

    choice = await choose(chat, PAGE, model="small", choices=LABELS)

    assert choice.label == "positive"
    assert "max_tokens" not in fake.chats[1]

    fake.replies = [thinking, thinking]
    assert (await choose(chat, PAGE, model="small", choices=LABELS)).label is None


async def test_a_failure_is_never_a_label(fake, chat):
    fake.default = Reply(status=503, error=error_body("positive"), headers={"retry-after-ms": "1"})

    with pytest.raises(ProviderUnavailable):
        await choose(chat, PAGE, model="small", choices=LABELS)
