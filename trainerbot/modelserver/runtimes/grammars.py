"""Grammars in llama.cpp's GBNF: the answers that a choice, a JSON schema or a tool call allows.

Written here and not made by llama.cpp from the schema: its grammar allows line
breaks, tabs and code fences, tokens that a small model loses its way in, and it
leaves out what it does not know without a word. An answer by these fits the
schema, and a keyword that cannot be kept is refused by its name.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from trainerbot.modelserver.runtimes.base import Choice, Shape, Tools, Unsupported

_MAX_DEPTH = 40
_MAX_CHARACTERS = 120_000
_MAX_COUNTED = 1000  # of a range of integers, each is written out

_RULES = {
    "space": '" "?',
    "char": r'[^"\\\x7F\x00-\x1F] | [\\] (["\\/bfnrt] | "u" [0-9a-fA-F]{4})',
    "string": r'"\"" char* "\""',
    "integer": '"-"? ("0" | [1-9] [0-9]{0,15})',
    "number": 'integer ("." [0-9]{1,16})? ([eE] [-+]? [1-9] [0-9]{0,1})?',
    "boolean": '"true" | "false"',
    "null": '"null"',
    "pair": 'string ":" space value',
    "object": '"{" (pair ("," space pair)*)? "}"',
    "array": '"[" (value ("," space value)*)? "]"',
    "value": "object | array | string | number | boolean | null",
}
_DATE = '[0-9]{4} "-" ("0" [1-9] | "1" [0-2]) "-" ("0" [1-9] | [1-2] [0-9] | "3" [0-1])'
_TIME = (
    '([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9] ":" [0-5] [0-9] ("Z" | [-+] [0-9]{2} ":" [0-9]{2})'
)
_FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f'{_DATE} "T" {_TIME}',
    "uuid": '[0-9a-f]{8} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{4} "-" [0-9a-f]{12}',
}
_ANNOTATIONS = {
    "title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly",
    "$schema", "$id", "$comment", "$defs", "definitions", "type",
}  # fmt: skip
_KEPT = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "prefixItems", "minItems", "maxItems"},
    "string": {"minLength", "maxLength", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
}


def written(choice: Choice | None, shape: Shape | None, tools: Tools | None) -> str | None:
    """Return the grammar of an answer that `choice`, `shape` or a call of `tools` allows.

    None where any text is. Raises Unsupported for what is no schema, in
    OpenAI's words, and in strict mode for a keyword that no grammar here keeps.
    """
    rules, roots = dict(_RULES), list[str]()
    if choice is not None:
        roots += [_text(choice.saying(word)) for word in choice.words]
    elif shape is not None:
        writer = _shape_writer(shape)
        roots.append(writer.visit(writer.schema, ()))
        rules |= writer.rules
    # Where text is possible no grammar can tell it from a call.
    if tools is not None and (roots or tools.must_call):
        calls = list[str]()
        for number, function in enumerate(tools.functions):
            writer = _function_writer(function, number)
            # Written as json.dumps writes it, which is how the calls before are shown.
            name = json.dumps(function["name"], ensure_ascii=False)
            opening = _text(f'{{"name": {name}, "arguments": ')
            calls.append(f'({opening} {writer.visit(writer.schema, ())} "}}")')
            rules |= writer.rules
        rules["call"] = " | ".join(calls)
        several = tools.several and tools.must_call
        one_or_more = '"[" call ("," space call){0,7} "]"' if several else "call"
        roots = [one_or_more] if tools.must_call else [*roots, one_or_more]
    if not roots:
        return None
    rules = {"root": " | ".join(roots), **rules}
    return "\n".join(f"{name} ::= {rule}" for name, rule in rules.items())


def check(shape: Shape | None, tools: Tools | None) -> None:
    """Raise Unsupported, as `written`, for a schema that no answer can be held to."""
    if shape is not None:
        writer = _shape_writer(shape)
        writer.visit(writer.schema, ())
    for number, function in enumerate(tools.functions if tools else ()):
        writer = _function_writer(function, number)
        writer.visit(writer.schema, ())


def _shape_writer(shape: Shape) -> "_Writer":
    """Return what writes the rules of `shape`."""
    return _Writer(
        shape.schema, f"response_format '{shape.name}'", "response_format", shape.is_strict
    )


def _function_writer(function: Mapping[str, Any], number: int) -> "_Writer":
    """Return what writes the rules of the arguments of the function `number`."""
    nothing = {"type": "object", "properties": {}, "additionalProperties": False}
    return _Writer(
        function.get("parameters") or nothing,
        f"function '{function['name']}'",
        f"tools[{number}].function.parameters",
        bool(function.get("strict")),
        prefix=f"f{number}-",
        code="invalid_function_parameters",
    )


def _text(literal: str) -> str:
    return '"' + literal.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: Any) -> str:
    return _text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


class _Writer:
    """Writes the rules of one schema."""

    def __init__(
        self,
        schema: Any,
        what: str,
        param: str,
        is_strict: bool,
        *,
        prefix: str = "",
        code: str | None = None,
    ) -> None:
        self.schema = schema
        self.rules = dict(_RULES)
        self._what = what
        self._param = param
        self._code = code
        self._is_strict = is_strict
        self._prefix = prefix
        self._references: dict[str, str] = {}
        self._n_characters = 0

    def visit(self, schema: Any, path: tuple[str, ...]) -> str:
        """Return what stands for `schema` in a rule."""
        if schema is True:
            return "value"
        if not isinstance(schema, dict):
            raise self._error(path, "a schema must be an object")
        if len(path) > _MAX_DEPTH:
            raise self._error(path[:3], f"it is nested more than {_MAX_DEPTH} deep")
        if "$ref" in schema:
            return self._reference(schema["$ref"], path)
        if "const" in schema:
            self._keep_only(schema, {"const"}, path)
            return self._add(_json(schema["const"]), path)
        if "enum" in schema:
            self._keep_only(schema, {"enum"}, path)
            values = self._list(schema, "enum", path)
            return self._add(" | ".join(map(_json, values)), path)
        for name in ("anyOf", "oneOf", "allOf"):
            if name in schema:
                self._keep_only(schema, {name}, path)
                options = self._list(schema, name, path)
                if name == "allOf" and len(options) > 1:
                    raise self._error(path, "'allOf' is not permitted")
                return self._any(options, (*path, name))
        kind = schema.get("type") or _implied(schema)
        if isinstance(kind, list) and kind:
            return self._any([{**schema, "type": one} for one in kind], path)
        return self._of_type(kind, schema, path)

    def _of_type(self, kind: Any, schema: dict[str, Any], path: tuple[str, ...]) -> str:
        kept = _KEPT.get(kind, set()) if isinstance(kind, str) else set()
        self._keep_only(schema, kept, path)
        match kind:
            case "object":
                return self._object(schema, path)
            case "array":
                return self._array(schema, path)
            case "string":
                return self._string(schema, path)
            case "integer":
                return self._integer(schema, path)
            case "number" | "boolean" | "null":
                return str(kind)
            case None:
                return "value"
        raise self._error(path, f"{json.dumps(kind)[:100]} is not a type")

    def _any(self, options: Iterable[Any], path: tuple[str, ...]) -> str:
        found = [self.visit(one, (*path, str(n))) for n, one in enumerate(options)]
        return self._add(" | ".join(dict.fromkeys(found)), path)

    def _object(self, schema: dict[str, Any], path: tuple[str, ...]) -> str:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, dict):
            raise self._error(path, "'properties' must be an object")
        if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
            raise self._error(path, "'required' must be an array of strings")
        named = {**properties, **{name: True for name in required if name not in properties}}
        others = schema.get("additionalProperties", True)
        if not named:
            if others is False:
                return self._add('"{}"', path)
            if others is True:
                return "object"
            value = self.visit(others, (*path, "additionalProperties"))
            pair = self._add(f'string ":" space {value}', path)
            return self._add(f'"{{" ({pair} ("," space {pair})*)? "}}"', path)
        # Two rules a property, read from the end: with something written before it, and with
        # nothing, when no comma comes first.
        first = following = '""'
        for name in reversed(named):
            value = self.visit(named[name], (*path, "properties", name))
            pair = self._add(f'{_json(name)} ":" space {value}', path)
            if name in required:
                first, following = f"{pair} {following}", f'"," space {pair} {following}'
            else:
                first, following = (
                    f"({pair} {following} | {first})",
                    f'("," space {pair})? {following}',
                )
            first, following = self._add(first, path), self._add(following, path)
        return self._add(f'"{{" {first} "}}"', path)

    def _array(self, schema: dict[str, Any], path: tuple[str, ...]) -> str:
        low, high = self._bounds(schema, "minItems", "maxItems", path)
        leading = schema.get("prefixItems", [])
        if not isinstance(leading, list):
            raise self._error(path, "'prefixItems' must be an array")
        if leading:
            # As many as are named, neither fewer nor more: that fits unless more are asked for.
            if low > len(leading) or (high is not None and high < len(leading)):
                raise self._error(path, "'minItems' and 'maxItems' must allow the 'prefixItems'")
            parts = [
                self.visit(one, (*path, "prefixItems", str(n))) for n, one in enumerate(leading)
            ]
            return self._add('"[" ' + ' "," space '.join(parts) + ' "]"', path)
        item = self.visit(schema.get("items", True), (*path, "items"))
        if high == 0:
            return self._add('"[]"', path)
        more = f'("," space {item}){{{max(low - 1, 0)},{"" if high is None else high - 1}}}'
        inner = f"{item} {more}" if low else f"({item} {more})?"
        return self._add(f'"[" {inner} "]"', path)

    def _string(self, schema: dict[str, Any], path: tuple[str, ...]) -> str:
        if (form := schema.get("format")) is not None:
            if isinstance(form, str) and form in _FORMATS:
                return self._add(rf'"\"" {_FORMATS[form]} "\""', path)
            if self._is_strict:
                raise self._error(path, f"the format {json.dumps(form)[:60]} is not permitted")
        low, high = self._bounds(schema, "minLength", "maxLength", path)
        if low == 0 and high is None:
            return "string"
        return self._add(rf'"\"" char{{{low},{"" if high is None else high}}} "\""', path)

    def _integer(self, schema: dict[str, Any], path: tuple[str, ...]) -> str:
        given = [n for n in _KEPT["integer"] if n in schema]
        for name in given:
            if isinstance(schema[name], bool) or not isinstance(schema[name], int):
                raise self._error(path, f"'{name}' must be an integer")
        lows = [schema["minimum"]] if "minimum" in given else []
        lows += [schema["exclusiveMinimum"] + 1] if "exclusiveMinimum" in given else []
        highs = [schema["maximum"]] if "maximum" in given else []
        highs += [schema["exclusiveMaximum"] - 1] if "exclusiveMaximum" in given else []
        if lows and highs:
            low, high = max(lows), min(highs)
            if low > high:
                raise self._error(path, "no integer lies between its bounds")
            if high - low < _MAX_COUNTED:
                return self._add(" | ".join(f'"{n}"' for n in range(low, high + 1)), path)
        if lows == [0] and not highs:
            return self._add('"0" | [1-9] [0-9]{0,15}', path)
        if given and self._is_strict:
            raise self._error(path, f"'{given[0]}' is not permitted for so wide a range")
        return "integer"

    def _bounds(
        self, schema: dict[str, Any], least: str, most: str, path: tuple[str, ...]
    ) -> tuple[int, int | None]:
        low, high = schema.get(least, 0), schema.get(most)
        for name, value in ((least, low), (most, high)):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int) or value < 0
            ):
                raise self._error(path, f"'{name}' must be a number of 0 or more")
            if value is not None and value > _MAX_COUNTED:
                raise self._error(path, f"'{name}' must be at most {_MAX_COUNTED}")
        if high is not None and low > high:
            raise self._error(path, f"'{least}' is above '{most}'")
        return low, high

    def _reference(self, reference: Any, path: tuple[str, ...]) -> str:
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self._error(path, f"reference {json.dumps(reference)[:100]} must begin with '#'")
        if reference not in self._references:
            target = self.schema
            for part in reference[1:].split("/")[1:]:
                part = part.replace("~1", "/").replace("~0", "~")
                if not isinstance(target, dict) or part not in target:
                    raise self._error(path, f"reference '{reference[:100]}' was not found")
                target = target[part]
            # Named before it is read: it may refer to itself.
            name = self._references[reference] = f"{self._prefix}ref{len(self._references)}"
            self.rules[name] = ""
            self.rules[name] = self.visit(target, (*path, "$ref"))
        return self._references[reference]

    def _list(self, schema: dict[str, Any], name: str, path: tuple[str, ...]) -> list[Any]:
        values = schema[name]
        if not isinstance(values, list) or not values:
            raise self._error(path, f"'{name}' must be an array of at least one value")
        if len(values) > _MAX_COUNTED:
            raise self._error(path, f"'{name}' has more than {_MAX_COUNTED} values")
        return values

    def _keep_only(
        self, schema: dict[str, Any], kept: Iterable[str], path: tuple[str, ...]
    ) -> None:
        if not self._is_strict:
            return
        for name in schema:
            if name not in _ANNOTATIONS and name not in kept:
                raise self._error(path, f"'{name[:60]}' is not permitted")

    def _add(self, rule: str, path: tuple[str, ...]) -> str:
        self._n_characters += len(rule)
        if self._n_characters > _MAX_CHARACTERS:
            raise self._error(path[:3], "it is too large")
        name = f"{self._prefix}r{len(self.rules)}"
        self.rules[name] = rule
        return name

    def _error(self, path: tuple[str, ...], reason: str) -> Unsupported:
        context = "(" + ", ".join(f"'{part[:40]}'" for part in path) + ")"
        return Unsupported(
            f"Invalid schema for {self._what}: In context={context}, {reason}.",
            param=self._param,
            code=self._code,
        )


def _implied(schema: dict[str, Any]) -> str | None:
    """Return the type that a schema without one speaks of."""
    return next((kind for kind in ("object", "array") if _KEPT[kind] & schema.keys()), None)
