"""Which tokens may come next in an answer that a grammar of `runtimes.grammars` allows.

llama.cpp reads such a grammar itself; transformers do not. Read here byte by
byte, as tokens may end within a character: a state is the set of places in
the grammar where the text so far may have led, and every step from one is
worked out once.
"""

import json
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

State = frozenset[int]
_Bytes = frozenset[int]
_Item = _Bytes | str

# The place behind everything: the text is whole.
_END = 0
_TOKEN = re.compile(
    r"""\s*(?:"(?P<literal>(?:[^"\\]|\\.)*)" | \[(?P<class>(?:[^\]\\]|\\.)*)\]
    | (?P<name>[A-Za-z][A-Za-z0-9-]*) | (?P<counts>\{\d+(?:,\d*)?\}) | (?P<sign>[()|*?+]))""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)|(.)", re.DOTALL)
# Characters beyond ASCII as UTF-8 writes them: no half ones, none twice, no surrogates.
_NEXT = range(0x80, 0xC0)
_WIDE = (
    (range(0xC2, 0xE0), _NEXT),
    (range(0xE0, 0xE1), range(0xA0, 0xC0), _NEXT),
    (range(0xE1, 0xED), _NEXT, _NEXT),
    (range(0xED, 0xEE), range(0x80, 0xA0), _NEXT),
    (range(0xEE, 0xF0), _NEXT, _NEXT),
    (range(0xF0, 0xF1), range(0x90, 0xC0), _NEXT, _NEXT),
    (range(0xF1, 0xF4), _NEXT, _NEXT, _NEXT),
    (range(0xF4, 0xF5), range(0x80, 0x90), _NEXT, _NEXT),
)


class Grammar:
    """One grammar. States are its own, and no use to another."""

    def __init__(self, text: str) -> None:
        """Read `text`, as `grammars.written` returns it."""
        # A rule is its alternatives, each the number of a sequence of items.
        self._sequences: list[tuple[_Item, ...]] = []
        self._rules: dict[str, tuple[int, ...]] = {}
        for line in text.splitlines():
            name, _, body = line.partition(" ::= ")
            self._rules[name] = tuple(map(self._sequence, _Reader(body, self._own).alternatives()))
        # A place: a sequence, how far in it, and the place to go on at behind it.
        self._places: list[tuple[int, int, int]] = [(-1, 0, 0)]
        self._numbers: dict[tuple[int, int, int], int] = {}
        self._steps: dict[tuple[State, int], State] = {}
        self._opened: dict[int, State] = {}
        self.start: State = frozenset().union(
            *(self._open(self._place(one, 0, _END)) for one in self._rules["root"])
        )

    def after(self, state: State, data: bytes) -> State:
        """Return the state after `data` was written; an empty one where it may not be."""
        for byte in data:
            if not state:
                break
            state = self.step(state, byte)
        return state

    def step(self, state: State, byte: int) -> State:
        """Return the state after one byte; an empty one where it may not be."""
        found = self._steps.get((state, byte))
        if found is None:
            found = frozenset().union(*self._ways(state, byte))
            self._steps[state, byte] = found
        return found

    @staticmethod
    def may_end(state: State) -> bool:
        """Return whether the text may end here."""
        return _END in state

    @staticmethod
    def must_end(state: State) -> bool:
        """Return whether nothing may follow."""
        return state == {_END}

    def _ways(self, state: State, byte: int) -> Iterator[State]:
        for place in state:
            if place == _END:
                continue
            sequence, index, parent = self._places[place]
            item = self._sequences[sequence][index]
            assert not isinstance(item, str)
            if byte in item:
                yield self._open(self._place(sequence, index + 1, parent))

    def _place(self, sequence: int, index: int, parent: int) -> int:
        # Behind the last item of a sequence one is where the sequence itself ends. So a text of
        # any length is as deep as its brackets only.
        if index == len(self._sequences[sequence]):
            return parent
        key = (sequence, index, parent)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._places)
            self._places.append(key)
        return number

    def _open(self, place: int) -> State:
        """Return the places from here on that wait for a byte, or are the end."""
        known = self._opened.get(place)
        if known is not None:
            return known
        found, seen, todo = set[int](), set[int](), [place]
        while todo:
            one = todo.pop()
            if one in seen:
                continue
            seen.add(one)
            if one == _END:
                found.add(one)
                continue
            sequence, index, parent = self._places[one]
            item = self._sequences[sequence][index]
            if isinstance(item, str):
                behind = self._place(sequence, index + 1, parent)
                todo += [self._place(way, 0, behind) for way in self._rules[item]]
            else:
                found.add(one)
        self._opened[place] = frozenset(found)
        return self._opened[place]

    def _sequence(self, items: Sequence[_Item]) -> int:
        self._sequences.append(tuple(items))
        return len(self._sequences) - 1

    def _own(self, alternatives: Sequence[Sequence[_Item]], *, again: bool = False) -> str:
        """Add a rule without a name of the grammar's; `again`: each may be followed by another."""
        name = f"_{len(self._rules)}_{len(self._sequences)}"
        ways = [[*items, name] if again and items else items for items in alternatives]
        self._rules[name] = tuple(map(self._sequence, ways))
        return name


class _Reader:
    """Reads the body of one rule."""

    def __init__(self, text: str, own: Any) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._own = own

    def alternatives(self) -> list[list[_Item]]:
        found: list[list[_Item]] = [[]]
        while self._at < len(self._tokens):
            kind, value = self._tokens[self._at]
            if (kind, value) == ("sign", ")"):
                break
            self._at += 1
            if (kind, value) == ("sign", "|"):
                found.append([])
            else:
                found[-1] += self._repeated(self._item(kind, value))
        return found

    def _item(self, kind: str, value: str) -> list[_Item]:
        match kind:
            case "literal":
                text = "".join(_characters(value))
                return [frozenset([byte]) for byte in text.encode()]
            case "class":
                return [self._class(value)]
            case "name":
                return [value]
        assert value == "(", value
        inner = self._own(self.alternatives())
        self._at += 1  # the closing bracket
        return [inner]

    def _class(self, value: str) -> _Item:
        negated = value.startswith("^")
        listed = list(_characters(value.removeprefix("^"), keep=True))
        chosen = set[int]()
        at = 0
        while at < len(listed):
            if at + 2 < len(listed) and listed[at + 1] == "-":
                chosen |= set(range(ord(listed[at][-1]), ord(listed[at + 2][-1]) + 1))
                at += 3
            else:
                chosen.add(ord(listed[at][-1]))
                at += 1
        assert max(chosen) < 0x80, "a class names ASCII only"
        if not negated:
            return frozenset(chosen)
        one = [frozenset(set(range(0x80)) - chosen)]
        name: str = self._own([one, *([frozenset(part) for part in wide] for wide in _WIDE)])
        return name

    def _repeated(self, items: list[_Item]) -> list[_Item]:
        if self._at == len(self._tokens):
            return items
        kind, value = self._tokens[self._at]
        if kind == "counts":
            least, _, most = value[1:-1].partition(",")
            low, high = int(least), int(most) if most else None if "," in value else int(least)
        elif value in ("*", "?", "+") and kind == "sign":
            low, high = {"*": (0, None), "?": (0, 1), "+": (1, None)}[value]
        else:
            return items
        self._at += 1
        if high is None:
            return [*items * low, self._own([items, []], again=True)]
        more: list[_Item] = []
        for _ in range(high - low):
            more = [self._own([[*items, *more], []])]
        return [*items * low, *more]


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        assert found is not None, text[at : at + 40]
        assert found.lastgroup is not None
        yield found.lastgroup, found[found.lastgroup]
        at = found.end()


def _characters(value: str, *, keep: bool = False) -> Iterator[str]:
    """Yield each character that is meant; with `keep`, an escaped one with its backslash."""
    for escaped, plain in _ESCAPED.findall(value):
        if not escaped:
            yield plain
            continue
        meant = chr(int(escaped[1:], 16)) if len(escaped) == 3 else escaped
        yield f"\\{meant}" if keep else meant


class Vocabulary:
    """What every token of a model writes, in order, so that most need not be tried."""

    def __init__(self, tokens: Mapping[int, bytes]) -> None:
        """`tokens` are those that write something: none that marks or ends."""
        self.tokens = tokens
        ordered = sorted((data, token) for token, data in tokens.items() if data)
        self._data = [data for data, _ in ordered]
        self._ids = [token for _, token in ordered]

    def allowed(self, grammar: Grammar, state: State) -> list[int]:
        """Return the tokens that may be written in `state`."""
        found = list[int]()
        # The states after 0, 1, 2... bytes of the token before this one.
        states, before = [state], b""
        at, data = 0, self._data
        while at < len(data):
            word = data[at]
            n_same = 0
            for mine, theirs in zip(word, before, strict=False):
                if mine != theirs:
                    break
                n_same += 1
            del states[n_same + 1 :]
            for n in range(n_same, len(word)):
                after = grammar.step(states[-1], word[n])
                if not after:
                    # All that begin so are as impossible.
                    before = word[: n + 1]
                    at = _behind(data, before, at)
                    break
                states.append(after)
            else:
                found.append(self._ids[at])
                before = word
                at += 1
        return found


def _behind(data: Sequence[bytes], prefix: bytes, at: int) -> int:
    """Return the place of the first word at or after `at` that does not begin with `prefix`."""
    head = prefix.rstrip(b"\xff")
    if not head:
        return len(data)
    return bisect_left(data, head[:-1] + bytes([head[-1] + 1]), at)


def token_bytes(tokenizer: Any) -> dict[int, bytes]:
    """Return what each token of a Hugging Face tokenizer writes; none of the special ones."""
    special = set(tokenizer.all_special_ids)
    added = tokenizer.added_tokens_decoder
    special |= {number for number, token in added.items() if token.special}
    backend = getattr(tokenizer, "backend_tokenizer", None)
    of_bytes = backend is not None and "ByteLevel" in json.dumps(
        json.loads(backend.to_str()).get("decoder")
    )
    letters = _letters_of_bytes() if of_bytes else {}
    found = {}
    for text, number in tokenizer.get_vocab().items():
        if number in special:
            continue
        if number in added:
            found[number] = str(added[number].content).encode()
        elif of_bytes and all(letter in letters for letter in text):
            found[number] = bytes(letters[letter] for letter in text)
        elif re.fullmatch(r"<0x[0-9A-F]{2}>", text):
            found[number] = bytes([int(text[3:5], 16)])
        else:
            found[number] = text.replace("\u2581", " ").encode()
    return found


def _letters_of_bytes() -> dict[str, int]:
    """Return GPT-2's alphabet: a letter that can be seen for each byte."""
    seen = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [byte for byte in range(0x100) if byte not in seen]
    return {chr(b): b for b in seen} | {chr(0x100 + n): b for n, b in enumerate(unseen)}
