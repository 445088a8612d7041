"""Template strings such as {{ sample.output_text }} and {{ item.answer }}."""

import json
import re
from collections.abc import Mapping
from typing import Any

from trainerbot.errors import InvalidInput

_PLACE = re.compile(r"\{\{\s*(?P<path>[\w.\-]{1,200})\s*\}\}")


class UnknownVariable(InvalidInput):
    """A template names something that neither the sample nor the item has."""


def filled(template: str, namespaces: Mapping[str, Any]) -> str:
    """Return `template` with every place filled. Raises UnknownVariable."""
    return _PLACE.sub(lambda found: _text(found["path"], namespaces), template)


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
