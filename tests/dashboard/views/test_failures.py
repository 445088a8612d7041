"""What is said when something breaks that nobody foresaw."""

import errno
import json

import pytest
from django.db import IntegrityError, OperationalError
from django.test import RequestFactory

from dashboard.views.failures import server_error

FULL = OSError(errno.ENOSPC, "No space left on device")


def answer(error: Exception, **headers: str):
    request = RequestFactory().post("/datasets/upload/", headers=headers)
    try:
        raise error
    except Exception:
        return server_error(request)


def test_a_failure_is_told_without_its_details():
    response = answer(RuntimeError("secret path /home/x"))

    assert response.status_code == 500
    assert "Something broke on our side" in response.content.decode()
    assert "secret" not in response.content.decode()


@pytest.mark.parametrize("error", [FULL, OperationalError("database or disk is full")], ids=str)
def test_a_full_disk_is_told_as_such(error):
    response = answer(error)

    assert response.status_code == 507
    assert "The disk is full" in response.content.decode()


@pytest.mark.parametrize("said", ["disk I/O error", "unable to open database file"])
def test_a_database_that_cannot_be_reached_is_told_as_such(said):
    response = answer(OperationalError(said))

    assert response.status_code == 503
    assert "the disk works and is not full" in response.content.decode()


def test_rows_that_contradict_each_other_are_our_fault():
    response = answer(IntegrityError("UNIQUE constraint failed"))

    assert response.status_code == 500
    assert "UNIQUE" not in response.content.decode()


def test_a_script_is_told_in_json():
    response = answer(FULL, Accept="application/json")

    assert json.loads(response.content)["problem"].startswith("The disk is full")
