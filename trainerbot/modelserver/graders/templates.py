"""Template strings such as {{ sample.output_text }} and {{ item.answer }}."""

import json
import re
from collections.abc import Mapping
from typing import Any

from trainerbot.errors import InvalidInput

_PLACE = re.compile(r"\{\{\s*(?P<path>[\w.\-]{1,200})\s*\}\}")


class UnknownVariable(InvalidInput):
    """A template names something that neither the sample nor the item has."""


def filled(template: str, namespaces: Mapping[str, Any], *, max_characters: int) -> str:
    """Return `template` with every place filled.

    Raises UnknownVariable, and InvalidInput at the first character too many:
    a short template can name a long text many times.
    """
    pieces: list[str] = []
    end = n_characters = 0
    for found in _PLACE.finditer(template):
        pieces += (template[end : found.start()], _text(found["path"], namespaces))
        end = found.end()
        n_characters += len(pieces[-2]) + len(pieces[-1])
        if n_characters > max_characters:
            break
    if n_characters + len(template) - end > max_characters:
        raise InvalidInput(f"A grader compares texts of at most {max_characters} characters.")
    return "".join(pieces) + template[end:]


def _text(path: str, namespaces: Mapping[str, Any]) -> str:
    at: Any = namespaces
    for name in path.split("."):
        if isinstance(at, Mapping) and name in at:
            at = at[name]
        elif isinstance(at, list) and name.isascii() and name.isdecimal() and len(name) < 7:
            if int(name) >= len(at):
                raise UnknownVariable(f"The template names {path}, which is not there.")
            at = at[int(name)]
        else:
            raise UnknownVariable(f"The template names {path}, which is not there.")
    return at if isinstance(at, str) else json.dumps(at, ensure_ascii=False)
