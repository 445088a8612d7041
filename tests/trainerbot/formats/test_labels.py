"""The two classes of the original bot, and the words that name them."""

import pytest

from trainerbot.errors import InvalidInput
from trainerbot.formats import labels


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("online_store", "positive"),
        ("Not_Online_Store", "negative"),
        ("positive", "positive"),
        ("Spam ", "Spam "),
    ],
)
@pytest.mark.origin(24)
def test_the_originals_words_for_its_classes_are_translated_and_no_others(given, kept):
    assert labels.canonical(given) == kept


@pytest.mark.parametrize(
    "words", ["positive=True", "positive = 'true'", "true", "positive", "", "Да"]
)
def test_a_batch_is_positive_in_many_words(words):
    assert labels.of_flag(labels.parse_flag(words)) == "positive"


@pytest.mark.parametrize("words", ["positive=False", "POSITIVE=no", "false", "negative", "0"])
def test_a_batch_is_negative_in_many_words(words):
    assert labels.of_flag(labels.parse_flag(words)) == "negative"


@pytest.mark.parametrize("words", ["perhaps", "positive=", "positive=maybe", "negative=True"])
def test_any_other_word_gets_the_usage(words):
    with pytest.raises(InvalidInput, match="positive=True or positive=False"):
        labels.parse_flag(words)
