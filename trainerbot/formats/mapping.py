"""Columns of a table and our fields: which is which, and a row made a record."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trainerbot.formats.report import Problem, of_file
from trainerbot.formats.rows import Kind, Options
from trainerbot.formats.sources.members import clean

FIELDS: Final = (
    "prompt",
    "completion",
    "system",
    "text",
    "label",
    "name",
    "chosen",
    "rejected",
    "messages",
)
"""What a column may be mapped to."""

# Usual names of columns, the surest first, spelt as `_plain` spells them.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "messages": ("messages", "conversations", "conversation", "dialogue", "сообщения", "диалог"),
    "prompt": (
        *("prompt", "question", "instruction", "query", "user", "input", "request", "user message"),
        *("промпт", "вопрос", "запрос", "инструкция", "пользователь", "ввод", "обращение"),
    ),
    "completion": (
        *("completion", "answer", "response", "output", "assistant", "reply", "target"),
        *("assistant message", "bot", "ответ", "ответ бота", "вывод", "результат", "ассистент"),
    ),
    "system": ("system", "system prompt", "system message", "система", "системный промпт"),
    "text": (
        *("text", "sentence", "review", "comment", "document", "body", "content", "message"),
        *("текст", "предложение", "отзыв", "комментарий", "содержание", "сообщение"),
    ),
    "label": (
        *("label", "class", "category", "sentiment", "tag", "intent", "target"),
        *("метка", "класс", "категория", "тональность", "тег"),
    ),
    "name": ("name", "title", "file name", "filename", "file", "имя", "название", "файл"),
    "chosen": ("chosen", "preferred", "better", "accepted", "лучший", "лучший ответ", "выбранный"),
    "rejected": ("rejected", "dispreferred", "worse", "худший", "худший ответ", "отклоненный"),
}

# What each kind needs and may have, in the order in which kinds are proposed.
_NEEDED: Final = (
    (Kind.CHAT, ("messages",), ()),
    (Kind.PREFERENCE, ("prompt", "chosen", "rejected"), ("system",)),
    (Kind.CHAT, ("prompt", "completion"), ("system",)),
    (Kind.LABELLED, ("text", "label"), ("name",)),
    (Kind.LABELLED, ("text",), ("name",)),
)

_SHOWN: Final = 20  # columns in one sentence

_SUFFICIENT: Final = (
    "Say which columns are prompt and completion, or text and label, or prompt, chosen and "
    "rejected, or messages."
)


def propose(columns: Iterable[str]) -> dict[str, str]:
    """Return {our field: their column} as far as the columns' names tell, for one kind of record.

    Empty when they tell nothing. It is a proposal: a person confirms it.
    """
    by_name = {_plain(column): column for column in reversed(list(columns))}
    for _, needed, possible in _NEEDED:
        taken: dict[str, str] = {}
        for field in (*needed, *possible):
            for name in _NAMES[field]:
                if name in by_name and by_name[name] not in taken.values():
                    taken[field] = by_name[name]
                    break
        if all(field in taken for field in needed):
            return taken
    return {}


def kind_of(mapping: Mapping[str, str], *, label: str | None = None) -> Kind | None:
    """Return what a mapping makes of rows, or None when it does not suffice."""
    for kind, needed, _ in _NEEDED:
        if all(mapping.get(field) for field in needed):
            return None if needed == ("text",) and label is None else kind
    return None


def needed(columns: Iterable[str]) -> Problem:
    """Return the problem of a table whose columns' names do not tell enough."""
    return of_file("mapping_needed", f"{_listed(columns)} {_SUFFICIENT}")


def _listed(columns: Iterable[str]) -> str:
    names = list(columns)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"The columns are: {', '.join(clean(name[:40]) for name in names[:_SHOWN])}{more}."


def refuse(options: Options, columns: Iterable[str]) -> Problem | None:
    """Return why a mapping cannot be used on a table with these columns, or None."""
    there = list(columns)
    for field, column in options.mapping.items():
        if field not in FIELDS:
            return of_file(
                "invalid_mapping", f'There is no field "{field[:40]}". Use {", ".join(FIELDS)}.'
            )
        if column and column not in there:
            return of_file(
                "invalid_mapping", f'There is no column "{column[:40]}". {_listed(there)}'
            )
    if kind_of(options.mapping, label=options.label) is not None:
        return None
    if options.mapping.get("text"):
        text = "A text needs a label: map a column to it, or name one label for all rows."
        return of_file("invalid_mapping", f"{text} {_listed(there)}")
    return of_file("invalid_mapping", f"{_listed(there)} {_SUFFICIENT}")


def apply(mapping: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row under our names. Numbers become text: a sheet knows no difference."""
    made: dict[str, Any] = {}
    for field, column in mapping.items():
        value = row.get(column) if column else None
        if value is not None:
            made[field] = value if field == "messages" else _as_text(value)
    return made


def _as_text(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value


def _plain(column: str) -> str:
    """Return a name without case, underscores and the dots of the Russian letter yo."""
    return re.sub(r"[\W_]+", " ", column.casefold().replace("\u0451", "\u0435")).strip()
