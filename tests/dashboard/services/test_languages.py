"""Languages as people name them."""

import pytest

from dashboard.services import languages
from trainerbot.errors import InvalidInput


@pytest.mark.parametrize(
    ("words", "tag"),
    [
        ("en", "en"),
        ("RU_ru", "ru-RU"),
        ("de-at", "de-AT"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-1996", "de-1996"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("Russian", "ru"),
        ("русский", "ru"),
        (" français ", "fr"),
    ],
)
def test_a_language_gets_its_tag(words, tag):
    assert languages.tag(words) == tag


@pytest.mark.parametrize(
    "words", ["", "e", "english please", "en-", "-en", "en--US", "x" * 36, "12", "e n", "en-\u0661"]
)
def test_what_is_no_language_is_refused(words):
    with pytest.raises(InvalidInput, match="no language I know"):
        languages.tag(words)


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("ru-RU", "Russian (`ru-RU`)"),
        ("zh-Hant", "Traditional Chinese (`zh-Hant`)"),
        ("yo", "`yo`"),
    ],
)
def test_a_tag_is_shown_with_the_name_of_its_language(tag, name):
    assert languages.name(tag) == name
