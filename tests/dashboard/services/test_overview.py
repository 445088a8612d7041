from datetime import timedelta

import pytest
from django.utils.timezone import now

from dashboard.models import Message
from dashboard.services import overview
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DatasetFactory,
    FineTuneJobFactory,
    QuestionFactory,
)

pytestmark = pytest.mark.django_db


def test_a_fresh_installation_has_nothing_to_show():
    figures = overview.figures()
    assert (figures.n_messages, figures.median_reply_ms, figures.failed_share) == (0, None, None)
    series = overview.series()
    assert sum(series.n_messages) == 0
    assert set(series.median_ms) == {None}


def test_the_figures_are_counted_from_the_last_day():
    for total_ms in (100, 200, 900):
        AnswerFactory(total_ms=total_ms)
    AnswerFactory(total_ms=None, error="Nobody is at home.", content="")
    AnswerFactory(total_ms=1, correction=CorrectionFactory(approved=True))
    yesterday = QuestionFactory()
    Message.objects.filter(pk=yesterday.pk).update(created_at=now() - timedelta(hours=30))

    figures = overview.figures()

    assert (figures.n_messages, figures.n_messages_before) == (10, 1)
    assert figures.median_reply_ms == 200
    assert (figures.n_answers, figures.n_failed, figures.failed_share) == (5, 1, 0.2)


def test_what_waits_for_a_person_is_counted():
    CorrectionFactory.create_batch(2)
    CorrectionFactory(approved=True)
    FineTuneJobFactory(running=True, version__dataset=DatasetFactory())
    FineTuneJobFactory(succeeded=True)
    DatasetFactory(archived_at=now())

    figures = overview.figures()

    assert (figures.n_waiting_corrections, figures.n_corrections_in_force) == (2, 1)
    assert (figures.n_jobs_running, figures.n_datasets) == (1, 2)


def test_the_series_has_one_slice_for_each_quarter_of_an_hour():
    AnswerFactory(total_ms=100)
    AnswerFactory(total_ms=300)
    old = AnswerFactory(total_ms=500)
    Message.objects.filter(pk=old.pk).update(created_at=now() - timedelta(hours=12))

    series = overview.series()

    assert len(series.starts) == len(series.n_messages) == len(series.median_ms) == 96
    assert {b - a for a, b in zip(series.starts, series.starts[1:], strict=False)} == {900}
    assert (series.n_messages[-1], series.median_ms[-1]) == (5, 200)
    assert 500 in series.median_ms[46:50]


def test_the_latest_questions_come_newest_first():
    first, second = QuestionFactory(), QuestionFactory()
    AnswerFactory(conversation=second.conversation, reply_to=second)
    assert overview.latest_questions(2) == [second, first]
