"""One grader, read from its JSON and run on one answer."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.modelserver.graders import formula
from trainerbot.modelserver.graders.similarity import MEASURES
from trainerbot.modelserver.graders.templates import UnknownVariable, filled

MAX_CHARACTERS = 20_000
_MOST_GRADERS = 20
_CHECKS = ("eq", "ne", "like", "ilike")
_FIELDS = {
    "string_check": ("name", "input", "reference", "operation"),
    "text_similarity": ("name", "input", "reference", "evaluation_metric"),
    "multi": ("name", "calculate_output"),
}
_ELSEWHERE = {
    "python": "runs code that it is given, which this server never does",
    "score_model": "asks a judging model, and this server has none that could judge",
    "label_model": "asks a judging model, and this server has none that could judge",
}


class WrongGrader(InvalidInput):
    """The grader cannot be read; `param` is where in the request."""

    def __init__(self, message: str, *, param: str) -> None:
        super().__init__(message)
        self.param = param


class GraderAbsent(TrainerBotError):
    """A grader of OpenAI's that cannot be run here."""


@dataclass(frozen=True, slots=True)
class Graded:
    """What a grader found. `problem` names the kind of error that made the reward 0."""

    reward: float
    sub_rewards: dict[str, float]
    problem: str | None = None


def check(grader: Mapping[str, Any], *, at: str = "grader", inside_multi: bool = False) -> None:
    """Raise WrongGrader when `grader` cannot be read, GraderAbsent when not run here."""
    kind = str(grader.get("type"))
    if kind in _ELSEWHERE:
        raise GraderAbsent(f"A grader of type {kind} {_ELSEWHERE[kind]}.")
    if kind not in _FIELDS or (kind == "multi" and inside_multi):
        kinds = [name for name in _FIELDS if not (inside_multi and name == "multi")]
        raise WrongGrader(
            f"Invalid '{at}.type': {kind[:50]!r}. Here these can be run: {', '.join(kinds)}.",
            param=f"{at}.type",
        )
    for name in _FIELDS[kind]:
        if not isinstance(grader.get(name), str):
            raise WrongGrader(
                f"Invalid type for '{at}.{name}': expected a string.", param=f"{at}.{name}"
            )
    if kind == "string_check":
        _check_choice(grader, "operation", _CHECKS, at)
    elif kind == "text_similarity":
        if grader["evaluation_metric"] == "cosine":
            raise GraderAbsent(
                "The metric cosine needs an embedding model, which graders have not here."
            )
        _check_choice(grader, "evaluation_metric", tuple(MEASURES), at)
    else:
        parts = _parts(grader, at)
        for name, part in parts.items():
            check(part, at=f"{at}.graders.{name}", inside_multi=True)
        formula.check(grader["calculate_output"], list(parts))


def run(grader: Mapping[str, Any], sample: str, item: object) -> Graded:
    """Grade one answer. The grader was checked. Raises InvalidInput for texts that are too long."""
    try:
        if grader["type"] != "multi":
            return Graded(_score(grader, sample, item), {})
        rewards = {
            name: _score(part, sample, item) for name, part in _parts(grader, "grader").items()
        }
    except UnknownVariable:
        return Graded(0.0, {}, problem="invalid_variable_error")
    try:
        return Graded(formula.value(grader["calculate_output"], rewards), dict(rewards))
    except formula.WrongFormula:
        return Graded(0.0, dict(rewards), problem="formula_parse_error")


def _score(grader: Mapping[str, Any], sample: str, item: object) -> float:
    variables: dict[str, Any] = {"output_text": sample}
    # Only an answer that is JSON has this variable.
    with contextlib.suppress(ValueError, RecursionError):
        variables["output_json"] = json.loads(sample)
    namespaces = {"sample": variables, "item": item}
    text, reference = (
        filled(grader[name], namespaces, max_characters=MAX_CHARACTERS)
        for name in ("input", "reference")
    )
    if grader["type"] == "text_similarity":
        return MEASURES[grader["evaluation_metric"]](text, reference)
    match grader["operation"]:
        case "eq":
            return float(text == reference)
        case "ne":
            return float(text != reference)
        case "like":
            return float(reference in text)
        case _:
            return float(reference.casefold() in text.casefold())


def _parts(grader: Mapping[str, Any], at: str) -> dict[str, Mapping[str, Any]]:
    """Return a multi grader's graders by name; given as one, or as an object of several."""
    given = grader.get("graders")
    if isinstance(given, Mapping) and isinstance(given.get("type"), str):
        given = {str(given.get("name")): given}
    if not isinstance(given, Mapping) or not 1 <= len(given) <= _MOST_GRADERS:
        raise WrongGrader(
            f"Invalid '{at}.graders': expected an object of 1 to {_MOST_GRADERS} graders.",
            param=f"{at}.graders",
        )
    for name, part in given.items():
        if not isinstance(part, Mapping):
            raise WrongGrader(
                f"Invalid type for '{at}.graders.{name}': expected an object.",
                param=f"{at}.graders.{name}",
            )
    return dict(given)


def _check_choice(grader: Mapping[str, Any], name: str, choices: tuple[str, ...], at: str) -> None:
    if grader[name] not in choices:
        raise WrongGrader(
            f"Invalid '{at}.{name}': {grader[name][:50]!r}. Supported values are: "
            f"{', '.join(choices)}.",
            param=f"{at}.{name}",
        )
