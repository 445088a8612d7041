import logging

from django.conf import settings
from django.test import RequestFactory

from trainerbot.settings import _is_news


def record_of(path: str) -> logging.LogRecord:
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "says no", None, None)
    record.request = RequestFactory().get(path)
    return record


def test_a_system_that_is_not_ready_yet_fills_no_log():
    assert not _is_news(record_of("/readyz"))


def test_a_page_that_breaks_does():
    assert _is_news(record_of("/overview/"))
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["news"]
