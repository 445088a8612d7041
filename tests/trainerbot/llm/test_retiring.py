"""When a model is switched off, as endpoints tell it."""

from datetime import date

import pytest

from trainerbot.endpoints import ModelInfo
from trainerbot.llm import retiring

OPENAI = "https://api.openai.com/v1"


def row(**details: object) -> ModelInfo:
    return ModelInfo(id="m", owned_by="", details=details)


@pytest.mark.parametrize(
    "details",
    [
        {"shutdown_date": "2027-01-14"},
        {"shutdown_date": "2027-01-14T00:00:00Z"},
        {"shutdown_date": 1799884800},
        {"deprecation": "2027-01-14"},
        {"deprecation": {"fine_tune": 1, "inference": 1799884800}},
        {"expiration_date": "2027-01-14"},
        {"expiration_date": "20270114"},
        {"expiration_date": 20270114},
        {"expiration_date": 1799884800000},
        {"expiration_date": "1799884800.5"},
        {"retires_at": "2027-01-13T20:00:00-08:00"},
        {"retires_at": "2027-01-15T01:00:00+09:00"},
    ],
)
def test_each_endpoints_word_for_the_last_day_is_read(details):
    assert retiring.told(row(**details)) == date(2027, 1, 14)


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"shutdown_date": None},
        {"shutdown_date": "soon"},
        {"shutdown_date": True},
        {"shutdown_date": ["2027-01-14"]},
        {"shutdown_date": 10**30},
        {"shutdown_date": 10**400},
        {"shutdown_date": float("nan")},
        {"shutdown_date": "9" * 5_000},
        {"shutdown_date": "9999-12-31T23:59:59-14:00"},
        {"shutdown_date": "20271399"},
        {"deprecation": {}},
        {"shutdown_date": "0001-01-01"},
    ],
)
def test_what_is_no_day_is_none(details):
    assert retiring.told(row(**details)) is None


@pytest.mark.parametrize(
    ("model", "day"),
    [
        ("gpt-4o-mini", date(2027, 1, 14)),
        ("gpt-4o-mini-2024-07-18", date(2027, 1, 14)),
        ("gpt-4o-2024-08-06", date(2027, 1, 14)),
        ("gpt-4o-2024-05-13", None),
        ("gpt-4.1-nano-2025-04-14", date(2026, 10, 23)),
        ("gpt-3.5-turbo-0125", date(2026, 10, 23)),
        ("gpt-6-luna", None),
        ("gpt-4o-audio-preview", None),
    ],
)
def test_what_openai_announced_is_known_also_of_snapshots(model, day):
    assert retiring.announced(OPENAI, model) == day


def test_another_endpoints_model_of_the_same_name_is_another_model():
    assert retiring.announced("http://127.0.0.1:8001/v1", "gpt-4o-mini") is None
    assert retiring.last_jobs("http://127.0.0.1:8001/v1") is None


def test_openai_takes_jobs_until_a_day():
    assert retiring.last_jobs(OPENAI) == date(2027, 1, 6)


@pytest.mark.parametrize(
    ("model", "base"),
    [
        ("ft:gpt-4o-mini-2024-07-18:acme::9aB", "gpt-4o-mini-2024-07-18"),
        ("ft:small", ""),
        ("gpt-4o", ""),
    ],
)
def test_a_tuned_models_name_tells_its_base(model, base):
    assert retiring.base_of(model) == base
