"""What a job measured at its end, as figures and in words.

`{"general": {"asked": n, "right_before": n, "right_after": n}, "held_out": the same}`,
without what could not be asked.
"""

from typing import Any


def figures(result: dict[str, Any]) -> dict[str, int]:
    """Return what was measured as plain numbers, `general_right_after` and so on."""
    return {f"{of}_{name}": n for of, counted in result.items() for name, n in counted.items()}


def in_words(result: dict[str, Any]) -> str:
    """Return what was measured as a sentence."""
    parts = []
    if general := result.get("general"):
        parts.append(
            f"of {general['asked']} general questions that the untouched model answers right, "
            f"the tuned one answers {general['right_after']}"
        )
    if held_out := result.get("held_out"):
        parts.append(
            f"of {held_out['asked']} held-out examples, {held_out['right_after']} are answered "
            f"right, by the untouched model {held_out['right_before']}"
        )
    return f"Measured: {'; '.join(parts)}"
