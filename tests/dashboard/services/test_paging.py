import pytest

from dashboard.models import Dataset
from dashboard.services.paging import page
from tests.factories import DatasetFactory
from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def rows() -> list[Dataset]:
    return DatasetFactory.create_batch(7)[::-1]


def test_pages_follow_each_other_without_gap_or_overlap(rows):
    first = page(Dataset.objects.all(), size=3)
    second = page(Dataset.objects.all(), size=3, after=first.after)
    third = page(Dataset.objects.all(), size=3, after=second.after)
    assert first.rows + second.rows + third.rows == rows
    assert (first.before, third.after) == ("", "")


def test_one_can_go_back_the_way_one_came(rows):
    first = page(Dataset.objects.all(), size=3)
    second = page(Dataset.objects.all(), size=3, after=first.after)
    third = page(Dataset.objects.all(), size=3, after=second.after)
    back = page(Dataset.objects.all(), size=3, before=third.before)
    assert back.rows == second.rows
    again = page(Dataset.objects.all(), size=3, before=back.before)
    assert (again.rows, again.before) == (first.rows, "")


def test_oldest_first_pages_rise(rows):
    found = page(Dataset.objects.all(), size=4, newest_first=False)
    rest = page(Dataset.objects.all(), size=4, newest_first=False, after=found.after)
    assert found.rows + rest.rows == rows[::-1]


def test_an_empty_list_has_one_empty_page():
    empty = page(Dataset.objects.all())
    assert (empty.rows, empty.after, empty.before) == ([], "", "")


def test_a_damaged_token_is_refused_in_words():
    with pytest.raises(InvalidInput, match="Start again from the list"):
        page(Dataset.objects.all(), after="1 OR 1=1")
