"""What a judge says of an answer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """How good an answer is. `is_right` and `score` (0 to 1) are None where nobody could tell.

    `reason` is a sentence for people, in the judge's own words where a model judged.
    """

    is_right: bool | None
    score: float | None
    reason: str = ""


def not_judged(reason: str) -> Verdict:
    return Verdict(None, None, reason)
