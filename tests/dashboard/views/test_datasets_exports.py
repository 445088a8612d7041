"""Versions as files: asked for on the page, written by the worker, downloaded."""

import io
import zipfile
from collections.abc import AsyncIterator

import pytest
from asgiref.sync import async_to_sync

from dashboard.services import exports
from dashboard.services.access import Role
from tests.dashboard.views.importing import work
from tests.factories import DatasetVersionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    return DatasetVersionFactory(dataset__name="rooms")


def base(version) -> str:
    return f"/datasets/{version.dataset_id}/versions/{version.number}/"


def content_of(client, exported) -> bytes:
    response = client.get(f"/datasets/exports/{exported.key}/")
    assert response.status_code == 200
    return async_to_sync(whole)(response.streaming_content)


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


def test_a_version_is_written_and_downloaded(trainer, version):
    trainer.post(f"{base(version)}export/", {"format": "chat-jsonl"})
    assert "data-topics" in trainer.get(f"{base(version)}exports/").content.decode()
    work()

    page = trainer.get(f"{base(version)}exports/").content.decode()
    exported = exports.of_version(version)[0]
    assert f"/datasets/exports/{exported.key}/" in page
    assert "data-topics" not in page
    assert content_of(trainer, exported).count(b"\n") == 12


def test_an_archive_holds_several_formats_and_where_they_came_from(trainer, version):
    trainer.post(
        f"{base(version)}export/", {"format": ["chat-jsonl", "csv"], "archive": "1"}, follow=True
    )
    work()

    archive = zipfile.ZipFile(io.BytesIO(content_of(trainer, exports.of_version(version)[0])))
    assert archive.testzip() is None
    assert len(archive.namelist()) >= 3


@pytest.mark.parametrize("form", [{}, {"format": "nonsense"}, {"format": "csv", "part": "moon"}])
def test_what_cannot_be_written_is_refused_in_words(trainer, version, form):
    response = trainer.post(f"{base(version)}export/", form)

    assert response.status_code == 400
    assert not exports.of_version(version).exists()


def test_an_export_under_way_is_no_download_yet_and_can_be_cancelled(trainer, version):
    exported = exports.start(version, formats=["csv"], actor=None)

    assert trainer.get(f"/datasets/exports/{exported.key}/").status_code == 409
    trainer.post(f"/datasets/exports/{exported.key}/cancel/")

    assert "cancelled" in trainer.get(f"{base(version)}exports/").content.decode()


def test_members_download_nothing(reader, version):
    exported = exports.start(version, formats=["csv"], actor=None)
    work()

    assert reader(Role.MEMBER).get(f"/datasets/exports/{exported.key}/").status_code == 403
