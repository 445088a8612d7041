"""Counted word by word, a text has exactly the tokens that it has as a whole."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens import words
from trainerbot.formats.tokens.smollm2 import Smollm2Counter, load

CERTAIN = [chr(code) for code in range(0x3000) if words._CERTAIN.fullmatch(chr(code))]
POOLS = (
    "".join(CERTAIN),
    "ab'sdll 've 12\n\t\xa0  .,!?<|>",
    "абвЁ ё1 2«»—…№\n  ",
    "  \n\n\t a1'²",
)


@pytest.fixture(scope="module")
def counter() -> Smollm2Counter:
    return load()


def whole(counter: Smollm2Counter, texts: list[str]) -> list[int]:
    encodings = counter._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    return [len(each) for each in encodings]


def test_ten_thousand_texts_have_the_same_tokens_either_way(counter):
    chance = random.Random(5)
    texts = [
        "".join(chance.choices(POOLS[n % len(POOLS)], k=chance.randint(1, 40)))
        for n in range(10_000)
    ]
    plain = [text for text in texts if counter._words.takes(text)]

    assert len(plain) > 9_000
    assert counter._words.count(plain) == whole(counter, plain)


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_has_the_same_tokens_either_way(counter, text):
    record = {"text": text, "label": ""}

    assert counter.count([record], Kind.LABELLED) == whole(counter, [text])


@pytest.mark.parametrize(
    "text", ["<|im_start|>system", "漢字", "e\u0301", "😀", "١٢٣", "\u0085", "x\u2028y"]
)
def test_what_is_not_certain_is_encoded_whole(counter, text):
    assert not counter._words.takes(text)


def test_long_words_are_counted_and_not_kept(counter):
    text = f"{'x' * 500} {'y' * 500}"

    assert counter._words.count([text]) == whole(counter, [text])
    assert not any(len(word) > words.LONGEST_KNOWN for word in counter._words._known)


def test_the_memory_begins_anew_when_it_is_full(counter, monkeypatch):
    monkeypatch.setattr(words, "MAX_KNOWN", 3)
    texts = ["one two three four five", "six seven", "one six"]

    for text in texts:
        assert counter._words.count([text]) == whole(counter, [text])
    assert len(counter._words._known) <= 5
