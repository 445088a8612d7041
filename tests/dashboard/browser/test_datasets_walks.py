"""Files of each kind in a real browser: from the upload over what they would bring to an export."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import expect

from dashboard.models import DatasetVersion
from tests.dashboard.browser.conftest import DESKTOP, PHONE, another_page
from tests.dashboard.browser.test_datasets import upload
from tests.dashboard.views.importing import work
from tests.factories import UserFactory

N_ROWS = 12


def asked(n: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"When do you open on day {n}?"}]


def said(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def lines(rows: list[dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def kto() -> bytes:
    return lines(
        [
            {"prompt": asked(n), "completion": said(f"At {n}."), "label": n % 3 > 0}
            for n in range(N_ROWS)
        ]
    )


def dpo() -> bytes:
    return lines(
        [
            {
                "input": {"messages": asked(n)},
                "preferred_output": said(f"At {n}."),
                "non_preferred_output": said("Write to ada@example.org."),
            }
            for n in range(N_ROWS)
        ]
    )


def parquet() -> bytes:
    rows = [{"question": f"When, on day {n}?", "answer": f"At {n}."} for n in range(N_ROWS)]
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), file)
    return file.getvalue()


WALKS = [
    pytest.param("judged.jsonl", kto, "unpaired", "lab", DESKTOP, id="kto"),
    pytest.param("pairs.jsonl", dpo, "preference", "labdark", PHONE, id="dpo"),
    pytest.param("rooms.parquet", parquet, "chat", "lab", PHONE, id="parquet"),
]


@pytest.mark.parametrize(("name", "content", "kind", "theme", "size"), WALKS)
def test_a_file_goes_from_upload_to_a_frozen_version_and_out_again(
    open_page, take_picture, tmp_path, name, content, kind, theme, size
):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True), theme=theme, size=size)

    upload(page, name, content())
    expect(page.get_by_text("Counted in every row.")).to_be_visible()
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
    take_picture(page, f"walk-{kind}-checked")

    page.get_by_role("button", name="Import and freeze").click()
    expect(page.get_by_role("heading", name="Storing the rows")).to_be_visible()
    work()
    expect(page).to_have_url(re.compile(r"/datasets/\d+/\?version=1$"))
    version = DatasetVersion.objects.get()
    assert (version.kind, version.n_examples, version.is_draft) == (kind, N_ROWS, False)
    take_picture(page, f"walk-{kind}-version")

    with another_page(page):
        page.locator("#exports").get_by_role("button", name="Export").click()
    work()
    link = page.locator("#exports a[download]")
    expect(link).to_be_visible()
    with page.expect_download() as coming:
        link.click()
    path = tmp_path / "out"
    coming.value.save_as(path)
    assert exported_rows(path) == N_ROWS


def exported_rows(path: Path) -> int:
    return sum(1 for line in path.read_text("utf-8").splitlines() if json.loads(line))
