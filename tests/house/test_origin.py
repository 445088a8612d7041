"""Each point of the original bot's checklist has tests that show it (docs/origin.md)."""

import re

from tests.house.test_house import ROOT

POINTS = frozenset(range(1, 51))
MARK = re.compile(r"mark\.origin\(([\d, ]+)\)")


def test_each_point_of_the_original_bots_checklist_is_shown_by_a_test() -> None:
    shown = {
        int(number)
        for file in (ROOT / "tests").rglob("test_*.py")
        for numbers in MARK.findall(file.read_text(encoding="utf-8"))
        for number in numbers.split(",")
    }

    assert sorted(POINTS - shown) == []
