"""How well the judge by likeness tells near words from other words, at each threshold.

    python benchmarks/judging.py

The pairs are ours: answers as a model says that was tuned on the expected one
("same"), and answers that are wrong in a word or altogether ("other").
"""

import json
from pathlib import Path

from trainerbot.judging.likeness import likeness
from trainerbot.judging.words import similar

PAIRS = Path(__file__).with_name("judging_data") / "pairs.jsonl"


def main() -> None:
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    same = [(row["expected"], each) for row in rows for each in row["same"]]
    other = [(row["expected"], each) for row in rows for each in row["other"]]
    print(f"{len(same)} answers in nearly the words, {len(other)} others")
    print("least   right of same   right of others   the same by likeness alone")
    for percent in range(40, 100, 5):
        least = percent / 100
        found = _share(same, least), _share(other, least), _share(other, least, guarded=False)
        print(
            f" {least:.2f}      {found[0]:6.1%}          {found[1]:6.1%}             {found[2]:6.1%}"
        )
    for expected, answer in same:
        verdict = similar(expected=expected, answer=answer, least=0.65)
        if not verdict.is_right:
            print("missed:", repr(answer), "for", repr(expected), verdict.reason)
    for expected, answer in other:
        verdict = similar(expected=expected, answer=answer, least=0.65)
        if verdict.is_right:
            print("let through:", repr(answer), "for", repr(expected), verdict.reason)


def _share(pairs: list[tuple[str, str]], least: float, *, guarded: bool = True) -> float:
    if not guarded:
        return sum(likeness(*pair) >= least for pair in pairs) / len(pairs)
    right = [similar(expected=one, answer=other, least=least).is_right for one, other in pairs]
    return sum(map(bool, right)) / len(pairs)


if __name__ == "__main__":
    main()
