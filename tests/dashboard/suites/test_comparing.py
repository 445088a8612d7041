"""Two runs of one version, side by side."""

import pytest

from dashboard.services import suites
from tests.factories import SuiteRunFactory, suite_version
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


def test_wins_losses_and_ties_are_counted_case_by_case():
    version = suite_version(n_cases=5, tags=["opening hours"])
    ours = SuiteRunFactory(version=version, rights=(True, True, True, False, False))
    theirs = SuiteRunFactory(version=version, rights=(True, False, False, True, False))

    found = suites.compare(ours, theirs)

    assert (found.n, found.wins, found.losses, found.ties) == (5, 2, 1, 2)
    assert found.difference == 0.2
    assert found.interval[0] < 0.2 < found.interval[1]
    assert not found.is_clear
    (tag,) = found.tags
    assert (tag.name, tag.n, tag.difference) == ("opening hours", 5, 0.2)


def test_a_clear_difference_is_told_from_chance():
    version = suite_version(n_cases=40)
    good = SuiteRunFactory(version=version, rights=[True] * 40)
    bad = SuiteRunFactory(version=version, rights=[True] * 10 + [False] * 30)

    assert suites.compare(good, bad).is_clear
    assert suites.compare(bad, good).difference == -0.75


def test_what_nobody_could_judge_is_left_out():
    version = suite_version(n_cases=3)
    ours = SuiteRunFactory(version=version, rights=(True, None, True))
    theirs = SuiteRunFactory(version=version, rights=(True, True, None))

    assert suites.compare(ours, theirs).n == 1
    assert ours.scores["n_judged"] == 2


def test_runs_of_different_tests_are_not_compared():
    with pytest.raises(InvalidInput, match="different tests"):
        suites.compare(SuiteRunFactory(rights=[True]), SuiteRunFactory(rights=[True]))
