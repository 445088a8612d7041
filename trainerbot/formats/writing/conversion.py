"""Records of one kind as another, where nothing has to be invented."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from trainerbot.errors import InvalidInput
from trainerbot.formats.labels import instruction
from trainerbot.formats.rows import Kind

_PASSED_ON: Final = ("tools", "parallel_tool_calls")

Converted = Sequence[dict[str, Any]] | str
"""The records that one record becomes, or why it is left out."""


def refuse_conversion(kind: Kind, target: Kind) -> None:
    """Raise InvalidInput when no record of `kind` can become one of `target`."""
    if kind is target or (kind, target) in _POSSIBLE:
        return
    raise InvalidInput(
        f"{_NAMES[kind]} cannot become {_NAMES[target].lower()}: {_LACKS[target]} "
        f"Choose another format."
    )


def convert(
    record: Mapping[str, Any], kind: Kind, target: Kind, *, labels: Sequence[str] = ()
) -> Converted:
    """Return the records of kind `target` that a record of `kind` becomes, or why none.

    `refuse_conversion` has let the pair pass.
    """
    if complaint := misshapen(record, kind):
        return complaint
    match kind, target:
        case _ if kind is target:
            return [dict(record)]
        case Kind.LABELLED, _:
            return [_choice(record, labels)]
        case Kind.PREFERENCE, Kind.CHAT:
            given = record["input"]
            return [_chat(given["messages"], record["preferred_output"], given)]
        case Kind.PREFERENCE, _:
            given = record["input"]
            return [
                _judged(given["messages"], record["preferred_output"], True, given),
                _judged(given["messages"], record["non_preferred_output"], False, given),
            ]
        case Kind.UNPAIRED, _:
            if not record["label"]:
                return "it was judged wrong"
            return [_chat(record["prompt"], record["completion"], record)]
        case _:
            return _judge(record)


def misshapen(record: Mapping[str, Any], kind: Kind) -> str:
    """Return why a record is not of the kind it should be, or an empty text."""
    match kind, record:
        case (
            (Kind.LABELLED, {"text": str(), "label": str()})
            | (Kind.CHAT, {"messages": [*_]})
            | (
                Kind.PREFERENCE,
                {
                    "input": {"messages": [*_]},
                    "preferred_output": [*_],
                    "non_preferred_output": [*_],
                },
            )
            | (Kind.UNPAIRED, {"prompt": [*_], "completion": [*_], "label": bool()})
        ):
            return ""
    return f"it lacks what {_NAMES[kind].lower()} has"


def _choice(record: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": instruction(labels)},
            {"role": "user", "content": record["text"]},
            {"role": "assistant", "content": record["label"]},
        ]
    }


def _chat(
    asked: Sequence[Any], answered: Sequence[Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    return {"messages": [*asked, *answered], **_passed_on(given)}


def _judged(
    asked: Sequence[Any], answered: Sequence[Any], label: bool, given: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "prompt": list(asked),
        "completion": list(answered),
        "label": label,
        **_passed_on(given),
    }


def _judge(record: Mapping[str, Any]) -> Converted:
    """Take the weight of the last answer for its judgement: 1 is right, 0 is wrong."""
    match record["messages"]:
        case [*asked, {"role": "assistant", "weight": 0 | 1 as weight, **answer}] if asked:
            completion = [{"role": "assistant", **answer}]
            return [_judged(asked, completion, weight == 1, record)]
        case [*_, {"role": "assistant"}]:
            return "nobody has judged its last answer (no weight)"
    return "it does not end with an answer"


def _passed_on(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: given[key] for key in _PASSED_ON if key in given}


_POSSIBLE: Final = frozenset(
    {
        (Kind.LABELLED, Kind.CHAT),
        (Kind.PREFERENCE, Kind.CHAT),
        (Kind.PREFERENCE, Kind.UNPAIRED),
        (Kind.UNPAIRED, Kind.CHAT),
        (Kind.CHAT, Kind.UNPAIRED),
    }
)
_NAMES: Final[Mapping[Kind, str]] = {
    Kind.CHAT: "Chat data",
    Kind.PREFERENCE: "Preference (DPO) data",
    Kind.UNPAIRED: "Judged (KTO) data",
    Kind.LABELLED: "Labelled data",
}
_LACKS: Final[Mapping[Kind, str]] = {
    Kind.CHAT: "it has no conversation.",
    Kind.PREFERENCE: "there is no second, worse answer to each question.",
    Kind.UNPAIRED: "nobody has judged the answers.",
    Kind.LABELLED: "its texts have no labels.",
}
