# ruff: noqa: RUF001 (Russian words are written in Cyrillic letters)
"""The tone of what people write: what the original judged by substrings, in English alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainerbot.curation.sentiment import tone

pytestmark = pytest.mark.origin(36)

PRAISE = """
good
Great answer!
LOVE IT!!!
sooooo gooood
This helped me a lot, thank you
It works perfectly
works like a charm
I can't complain
You saved my day
Much better than the last version
That was fast and accurate
Отлично, всё понятно
мне понравилось
Очень полезно, помогло
Всё чётко и по делу
Спасибо, выручил
лучше не бывает
Бот реально крутой
ВЕЛИКОЛЕПНО
Понял, спасибо :)
"""

REPROACH = """
bad
Useless.
sadness
I feel sad
the worst answer I have ever seen
terribly slow
could be better
makes no sense
why is it so bad?
You are wrong, 2+2 is 4
Complete waste of my time
It ignored half of my question
There's a mistake in the second line
Плохо
ужасный ответ
Ответ неверный
чушь какая-то
Опять ошибся
Бот постоянно врёт
Мог бы быть лучше
толку мало
"""

NEITHER = """
hello
Please translate this into French
What is the capital of France?
is it good?
Would you like some tea?
What do you mean?
How does it work?
My name is Robert
not great, not terrible
как это работает?
Привет, добрый день
До свидания
Переведи это на английский
Какой сегодня день?
Я читаю книгу
12345
"""


def lines(text: str) -> list[str]:
    return text.strip().split("\n")


@pytest.mark.parametrize("text", lines(PRAISE))
def test_praise_sounds_positive(text: str):
    assert tone(text) == "positive"


@pytest.mark.parametrize("text", lines(REPROACH))
def test_a_reproach_sounds_negative(text: str):
    assert tone(text) == "negative"


@pytest.mark.parametrize("text", lines(NEITHER))
def test_what_judges_nothing_is_neutral(text: str):
    assert tone(text) == "neutral"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("not good", "negative"),
        ("isn’t good", "negative"),
        ("I don't think this is good", "negative"),
        ("not helpful or clear", "negative"),
        ("hardly useful", "negative"),
        ("far from perfect", "negative"),
        ("did not understand my question", "negative"),
        ("nothing works", "negative"),
        ("not bad at all", "positive"),
        ("never disappoints", "positive"),
        ("anything but boring", "positive"),
        ("Not only good but excellent", "positive"),
        ("No, this is good", "positive"),
        ("It fixed the bug, nice", "positive"),
        ("не понравилось", "negative"),
        ("не хорошо", "negative"),
        ("не очень", "negative"),
        ("я не думаю, что это хорошо", "negative"),
        ("совсем не помогло", "negative"),
        ("ничего не понял", "negative"),
        ("не плохо", "positive"),
        ("неплохо", "positive"),
        ("работает без проблем", "positive"),
        ("Не ожидал, что будет так хорошо", "positive"),
    ],
)
def test_a_denial_turns_what_is_denied(text: str, expected: str):
    assert tone(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "goodbye",
        "Goodwin's wellness centre",
        "Saddle the horses; the ambassador joined the crusade",
        "The badger lives in a glade",
        "the architect measures greatcoats",
        "Урал",
        "Положи ложку на стол",
        "Он живёт в хорошевском районе",
        "Умножь класть и радио",
        "Бадминтон, плохиш",
    ],
)
def test_a_word_inside_another_word_says_nothing(text: str):
    assert tone(text) == "neutral"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("good but useless", "negative"),
        ("slow but really useful", "positive"),
        ("Although it is slow, it works very well", "positive"),
        ("Good. But useless.", "negative"),
        ("хорошо, но бесполезно", "negative"),
        ("Долго, но зато отличный результат", "positive"),
        ("Хороший ответ, хотя и длинный", "positive"),
        ("Красиво, но неправильно", "negative"),
    ],
)
def test_what_follows_a_turn_decides(text: str, expected: str):
    assert tone(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("thanks", "positive"),
        ("Спасибо!", "positive"),
        ("thanks, but this is wrong", "negative"),
        ("Thanks for nothing", "negative"),
        ("спасибо, не помогло", "negative"),
        ("Спасибо, но это не то", "negative"),
    ],
)
def test_thanks_count_only_where_nothing_else_is_said(text: str, expected: str):
    assert tone(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👍", "positive"),
        ("👍🏽", "positive"),
        ("❤️", "positive"),
        ("Молодец 👏", "positive"),
        (":)", "positive"),
        (":-(", "negative"),
        ("thx :D", "positive"),
        ("класс)))", "positive"),
        ("ну вот(((", "negative"),
        ("👎", "negative"),
        ("see https://example.com/:(", "neutral"),
        ("`bad` = 1", "neutral"),
        ("глава 3) и 4)", "neutral"),
        ("a) one b) two", "neutral"),
        ("(see the table below)", "neutral"),
        ("\u200b \ufeff", "neutral"),
        ("", "neutral"),
    ],
)
def test_signs_speak_and_addresses_code_and_lists_do_not(text: str, expected: str):
    assert tone(text) == expected


def test_stronger_words_weigh_more_than_weaker_ones():
    assert tone("slightly useful, extremely annoying") == "negative"
    assert tone("slightly annoying, extremely useful") == "positive"


@given(st.text() | st.text(alphabet="no t good!?.,:()<3^_-T/'’`но плохо", max_size=200))
def test_any_text_has_a_tone(text: str):
    assert tone(text) in ("positive", "negative", "neutral")
