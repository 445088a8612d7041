"""The figures of the first page, against rows counted by hand."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import Message
from dashboard.services import overview
from tests.factories import AnswerFactory, CorrectionFactory

pytestmark = pytest.mark.django_db


def answer(*, hours_ago, total_ms, **fields):
    """An answer and its question, said `hours_ago`."""
    message = AnswerFactory(total_ms=total_ms, **fields)
    moment = now() - timedelta(hours=hours_ago)
    pks = [pk for pk in (message.pk, message.reply_to_id) if pk]
    return Message.objects.filter(pk__in=pks).update(created_at=moment)


def test_the_tiles_count_the_last_day_and_leave_corrections_out_of_the_median():
    n_now = answer(hours_ago=1, total_ms=100) + answer(hours_ago=2, total_ms=300)
    n_now += answer(hours_ago=3, total_ms=9_000, error="The model is away.")
    n_now += answer(hours_ago=4, total_ms=1, correction=CorrectionFactory())
    n_before = answer(hours_ago=30, total_ms=7)

    figures = overview.figures()

    assert (figures.n_messages, figures.n_messages_before) == (n_now, n_before)
    assert figures.median_reply_ms == 200
    assert (figures.n_answers, figures.n_failed) == (4, 1)


def test_the_chart_puts_each_message_into_its_slice():
    n_early = answer(hours_ago=23.9, total_ms=500)
    n_late = answer(hours_ago=0.1, total_ms=100) + answer(hours_ago=0.1, total_ms=300)
    answer(hours_ago=25, total_ms=1)

    series = overview.series(hours=24)

    assert len(series.starts) == len(series.n_messages) == len(series.median_ms) == overview.BUCKETS
    assert (series.n_messages[0], series.n_messages[-1]) == (n_early, n_late)
    assert sum(series.n_messages) == n_early + n_late
    assert (series.median_ms[0], series.median_ms[-1]) == (500, 200)


def test_a_median_of_many_messages_is_that_of_a_sample_which_still_meets_answers(monkeypatch):
    monkeypatch.setattr(overview, "SAMPLE", 5)
    for _ in range(20):
        answer(hours_ago=0.1, total_ms=100)

    series = overview.series(hours=24)

    assert series.median_ms[-1] == 100


def test_a_corrections_own_words_do_not_make_the_models_look_fast():
    AnswerFactory(total_ms=900)
    AnswerFactory.create_batch(3, total_ms=1, correction=CorrectionFactory(approved=True))
    assert [ms for ms in overview.series().median_ms if ms is not None] == [900]
