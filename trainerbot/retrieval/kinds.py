"""Words of which a question names one out of a few: a weekday, a month, a number, a side."""

from functools import lru_cache
from typing import Final

from trainerbot.retrieval.folding import fold

# Of each line a question that names one is not about another; a bar joins spellings of one.
_LINES: Final = """
monday|mondays|mon|понедельник|понедельникам tuesday|tuesdays|tue|вторник|вторникам wednesday|wednesdays|wed|среду|среда|средам thursday|thursdays|thu|четверг|четвергам friday|fridays|fri|пятницу|пятница|пятницам saturday|saturdays|sat|суббота|субботу|субботам sunday|sundays|sun|воскресенье|воскресеньям weekend|weekends|выходные|выходным weekday|weekdays|будни|будням
january|jan|январь|января|январе february|feb|февраль|февраля|феврале march|март|марта|марте april|апрель|апреля|апреле may|май|мая|мае june|июнь|июня|июне july|июль|июля|июле august|август|августа|августе september|сентябрь|сентября|сентябре october|октябрь|октября|октябре november|ноябрь|ноября|ноябре december|декабрь|декабря|декабре
today|сегодня tomorrow|завтра yesterday|вчера
morning|утро|утром|утра|утру noon|полдень afternoon|днем evening|вечер|вечером|вечера night|ночь|ночью|ночи
spring|весна|весной|весны|весну summer|лето|летом|лета autumn|fall|осень|осенью|осени winter|зима|зимой|зимы|зиму
one|первый|первая|первое|первую|первой|первого|первом|первым|первые|first|один|одна|одно|одного second|two|второй|вторая|второе|вторую|второго|втором|вторым|вторые|два|две|двух|двоих|вдвоем third|three|третий|третья|третье|третью|третьей|третьего|третьем|три|трех|троих|втроем fourth|four|четвертый|четвертая|четвертое|четвертую|четвертой|четвертого|четвертом|четыре|четырех|вчетвером fifth|five|пятый|пятая|пятое|пятую|пятой|пятого|пятом|пять|пяти|впятером sixth|six|шестой|шестая|шестое|шестую|шестого|шесть|шести seventh|seven|седьмой|седьмая|седьмую|седьмого|семь|семи eighth|eight|восьмой|восьмая|восьмую|восьмого|восемь ninth|nine|девятый|девятая|девятую|девятого|девять tenth|ten|десятый|десятая|десятую|десятого|десять eleven|одиннадцать twelve|двенадцать twenty|двадцать thirty|тридцать fifty|пятьдесят hundred|сто thousand|тысяча|тысячу
left|левый|левая|левую|левой|левого right|правый|правая|правую|правой|правого
before|до after|после
enable|on|включить|включается|включена|включен disable|off|выключить|отключить|выключен|отключается
open|opens|открыть|открываетесь|открывается close|closes|закрыть|закрываетесь|закрывается
import|импорт export|экспорт
install|установить uninstall|удалить
login|войти logout|выйти
male|boys|мальчиков|мальчики female|girls|девочек|девочки
windows|виндовс|винду|винде linux|линукс|линуксе|линуксом macos|mac|мак|маке|макос android|андроид|андроиде iphone|ios|айфон|айфона|айфоне
"""


def _kinds() -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for kind, line in enumerate(_LINES.strip().splitlines()):
        for spellings in line.split():
            first, *others = spellings.split("|")
            found.update(dict.fromkeys((first, *others), (kind, first)))
    return found


_ASKED: Final = {
    kind: tuple(f" {wording} " for wording in wordings.split("|"))
    for kind, wordings in {
        "when": "when|what time|what date|what day|which day|which evening|until when|how soon|"
        "how long until|what hour|which week|когда|во сколько|какого числа|в какой день|в котором часу|"
        "до какого числа|в какие даты|до какого времени|в какое время",
        "where": "where|which channel|what channel|in which place|what address|где|куда|в каком месте|"
        "в какой канал|в каком канале|в какой папке|откуда",
        "who": "who|whom|whose|which person|кто|кому|кого|кем",
        "why": "why|for what reason|what reason|почему|зачем|отчего|за что|по какой причине",
        "how much": "how much|what price|how expensive|what is the price|whats the price|"
        "сколько стоит|какая цена|почем|какова цена",
    }.items()
}

OF_A_KIND: Final = _kinds()
"""Of a word its kind, and the one spelling of what it names."""


def names_another(a: str, b: str) -> bool:
    """Say whether two texts name different things of one kind, such as two weekdays."""
    named_a, named_b = _kept(a), _kept(b)
    return any(kind in named_b and not (named_b[kind] & things) for kind, things in named_a.items())


def asks_another(a: str, b: str) -> bool:
    """Say whether one text asks when and the other where, or another such pair."""
    asked_a, asked_b = _asked_kept(a), _asked_kept(b)
    return bool(asked_a and asked_b and not asked_a & asked_b)


def _asked(text: str) -> frozenset[str]:
    folded = f" {fold(text).replace('ё', 'е')} "
    return frozenset(
        kind for kind, wordings in _ASKED.items() if any(wording in folded for wording in wordings)
    )


_asked_kept = lru_cache(maxsize=2_048)(_asked)


def _named(text: str) -> dict[int, set[str]]:
    named: dict[int, set[str]] = {}
    for word in fold(text).replace("ё", "е").split():
        if found := OF_A_KIND.get(word):
            named.setdefault(found[0], set()).add(found[1])
    return named


_kept = lru_cache(maxsize=2_048)(_named)
