"""Records that are in no dataset, asked at once: the original's `!test {"text": ..., "label": ...}`."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard.services import chat, providers, storage
from dashboard.services.evaluations import cases, results
from dashboard.services.evaluations.asking import Answered, Asker
from trainerbot.errors import InvalidInput
from trainerbot.formats.labels import canonical
from trainerbot.formats.rows import Kind

MAX_RECORDS: Final = 1000
MAX_BYTES: Final = 8 * 1024 * 1024
LOOK_S: Final = 1.0
KEYS: Final = ("text", "label", "name")
# Told (done, all) now and then; may raise to stop.
Tell = Callable[[int, int], None]


def nothing(n_done: int, n_records: int) -> None:
    """What is told where nobody watches."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One record and its answer. expected: None where the record has no label."""

    name: str
    text: str
    expected: str | None
    predicted: str | None
    answer: str
    is_cut: bool
    ms: int
    error: str

    @property
    def is_right(self) -> bool | None:
        """None where nobody said what is right."""
        return None if self.expected is None else self.expected == self.predicted


@dataclass(frozen=True, slots=True)
class Trial:
    """All records in their order; `scores` over those with a label, None without any."""

    model: str
    labels: list[str]
    is_constrained: bool
    records: list[Tried]
    scores: dict[str, Any] | None


def read_records(text: str) -> list[dict[str, str]]:
    """Return the records in JSON `{"text", "label"?, "name"?}`: one, an array, or one a line.

    An object of other keys, all of them texts, names each: `{"a.html": "Add to cart"}`.
    Raises InvalidInput, naming the record, for anything else.
    """
    if len(text) > MAX_BYTES:
        raise InvalidInput("That is too much for one test. Import it as a dataset and test that.")
    parsed = _parse(text.strip().removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}"))
    found = [record for each in parsed for record in _named(each)]
    if not found:
        raise InvalidInput("There is no record to test.")
    if len(found) > MAX_RECORDS:
        raise InvalidInput(
            f"{len(found):,} records are too many for one test. Import them as a dataset and "
            "test that."
        )
    return [_record(number, record) for number, record in enumerate(found, start=1)]


def classify(
    records: Sequence[dict[str, str]],
    *,
    model: str = "",
    labels: Sequence[str] = (),
    instruction: str = "",
    tell: Tell = nothing,
) -> Trial:
    """Ask `model` about every record, and wait for the answers.

    Touches no row, so it may run in any thread without an event loop.
    Without labels those of the records are the choice, or the original's two
    where they name fewer. Raises InvalidInput for labels that cannot be
    chosen from, ProviderUnavailable and ProviderRefused for the endpoint.
    """
    chosen = _choices(records, labels)
    model = model.strip() or providers.ask_at_once(chat.default_model)
    waiting = list(enumerate(records))[::-1]
    answers: dict[int, Answered] = {}
    with Asker(model=model, labels=chosen) as asker:
        while waiting or asker.is_busy:
            while waiting and asker.room:
                key, record = waiting.pop()
                asker.ask(
                    key,
                    cases.case_of(
                        {"text": record["text"], "label": record.get("label", chosen[0])},
                        Kind.LABELLED,
                        labels=chosen,
                        instruction=instruction.strip(),
                    ),
                )
            answers.update((each.key, each) for each in asker.answers(timeout_s=LOOK_S))
            tell(len(answers), len(records))
    tried = [_tried(number, record, answers[number]) for number, record in enumerate(records)]
    labelled = [each for each in tried if each.expected is not None]
    return Trial(
        model=model,
        labels=chosen,
        is_constrained=all(each.is_constrained for each in answers.values()),
        records=tried,
        scores=results.score(
            [each.expected for each in labelled if each.expected is not None],
            [each.predicted or "" for each in labelled],
            chosen,
        )
        if labelled
        else None,
    )


def _choices(records: Sequence[dict[str, str]], named: Sequence[str]) -> list[str]:
    found = sorted({record["label"] for record in records if "label" in record})
    if not named and all(label in cases.ORIGINAL for label in found):
        return list(cases.ORIGINAL)
    chosen = list(dict.fromkeys(named)) or found
    cases.check(chosen)
    if missing := [label for label in found if label not in chosen]:
        raise InvalidInput(f"A record has the label {missing[0]!r}. Name every label of the data.")
    return chosen


def _tried(number: int, record: dict[str, str], answered: Answered) -> Tried:
    return Tried(
        name=record.get("name") or f"record {number + 1}",
        text=record["text"],
        expected=record.get("label"),
        predicted=answered.label,
        answer=answered.text,
        is_cut=answered.is_cut,
        ms=answered.ms,
        error=answered.error,
    )


def _parse(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except RecursionError as error:
        raise InvalidInput("The JSON is nested too deeply.") from error
    except ValueError as error:
        if text.startswith("["):
            where = (
                f"from line {error.lineno}, column {error.colno} on"
                if isinstance(error, json.JSONDecodeError)
                else "that can be read"
            )
            raise InvalidInput(f"The array is no JSON {where}.") from error
        return [
            _parse_line(number, line)
            for number, line in enumerate(text.split("\n"), 1)
            if line.strip()
        ]
    return found if isinstance(found, list) else [found]


def _parse_line(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"Line {number} is no JSON. Give records such as "
            '{"text": "...", "label": "positive"}.'
        ) from error


def _named(given: Any) -> list[Any]:
    """Return the records of an object whose keys name its texts; anything else as it is."""
    if (
        isinstance(given, dict)
        and given
        and not any(key in given for key in KEYS)
        and all(isinstance(text, str) for text in given.values())
    ):
        return [{"name": name, "text": text} for name, text in given.items()]
    return [given]


def _record(number: int, record: Any) -> dict[str, str]:
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        raise InvalidInput(f'Record {number} needs a "text" with words in it.')
    kept = {"text": record["text"]}
    for key in ("label", "name"):
        value = record.get(key)
        if value is None or value == "":
            continue
        if not isinstance(value, str):
            raise InvalidInput(f'The "{key}" of record {number} is no text.')
        kept[key] = canonical(value) if key == "label" else value
    if not kept["text"].strip() or not all(map(storage.holds, kept.values())):
        raise InvalidInput(f"Record {number} has no text, or characters that are none.")
    return kept
