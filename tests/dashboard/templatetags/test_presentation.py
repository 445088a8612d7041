"""How rows look."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from dashboard.templatetags.presentation import (
    ago,
    badge_class,
    binary_size,
    initials,
    milliseconds,
    percent,
    spaced,
)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(None, "\N{EN DASH}"), (0, "0 ms"), (999, "999 ms"), (1240, "1.24 s"), (90_000, "1.5 min")],
)
def test_a_duration_has_the_unit_that_reads_best(ms, words):
    assert milliseconds(ms) == words


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(seconds=5), "5 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=5), "5 h"),
        (timedelta(days=5), "5 d"),
    ],
)
def test_the_time_since_is_told_in_one_unit(passed, words):
    assert f">{words}</time>" in ago(now() - passed)


def test_what_was_long_ago_is_told_by_its_date():
    then = now() - timedelta(days=400)

    assert f">{then.date().isoformat()}</time>" in ago(then)


@pytest.mark.parametrize(
    ("name", "letters"), [("maya", "ma"), ("maya lund", "ml"), ("maya_lund", "ml"), ("m", "m")]
)
def test_a_person_without_a_picture_gets_two_letters(name, letters):
    assert initials(name) == letters


def test_a_state_that_nobody_knows_stays_grey_and_readable():
    assert badge_class("warming_up") == "badge-neutral"
    assert spaced("warming_up") == "warming up"


@pytest.mark.parametrize(
    ("n_bytes", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (2048, "2 KiB"),
        (512 * 2**20, "512 MiB"),
        (430_000_000, "410.1 MiB"),
        (3 * 2**30, "3 GiB"),
    ],
)
def test_sizes_are_told_in_the_units_that_limits_count_in(n_bytes, words):
    assert binary_size(n_bytes) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.4567, "45.7\N{NO-BREAK SPACE}%"),
        (1, "100.0\N{NO-BREAK SPACE}%"),
        (None, "\N{EN DASH}"),
        ("", "\N{EN DASH}"),
    ],
)
def test_a_share_is_told_in_per_cent(share, words):
    assert percent(share) == words


@given(st.floats(0, 1), st.integers(0, 3))
def test_only_all_are_a_hundred_per_cent_and_only_none_are_none(share, decimals):
    figure = float(percent(share, decimals).removesuffix("\N{NO-BREAK SPACE}%"))

    assert (figure == 100) == (share == 1)
    assert (figure == 0) == (share == 0)
    assert abs(figure - 100 * share) <= 10**-decimals


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_is_never_told_as_less(one, other):
    low, high = sorted((one, other))

    assert float(percent(low)[:-2]) <= float(percent(high)[:-2])
