"""The built-in everyday questions, as a suite like others."""

import pytest

from dashboard.services import suites
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


def test_they_make_one_version_as_long_as_they_do_not_change():
    assert suites.everyday_suite() == suites.everyday_suite()


def test_their_name_is_kept_for_them():
    name = suites.everyday_suite().suite.name

    with pytest.raises(InvalidInput, match="kept for our own questions"):
        suites.upload(
            name=name.upper(),
            data=b'{"question": "Who?", "expected": "Me."}',
            filename="own.jsonl",
            actor=None,
        )
