"""Uploading in a real browser."""

import json
import re

from playwright.sync_api import expect

from dashboard.models import Dataset, DatasetVersion
from tests.factories import DatasetVersionFactory, UserFactory


def chat_lines(n_lines: int) -> bytes:
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"Where is room {number}?"},
                {"role": "assistant", "content": f"On floor {number}. " + "Really. " * 40},
            ]
        }
        for number in range(n_lines)
    )
    return "\n".join(json.dumps(row) for row in rows).encode()


def chosen(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/jsonl", "buffer": content}


def test_a_file_is_uploaded_with_progress_and_its_page_opens(open_page):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))

    page.get_by_label("Drop a JSONL file here").set_input_files(
        files=[chosen("opening hours.jsonl", chat_lines(60))]
    )
    expect(page.get_by_label("Name")).to_have_value("opening hours")
    page.get_by_role("button", name="Upload").click()

    expect(page).to_have_url(re.compile(r"/datasets/\d+/$"))
    expect(page.get_by_role("alert")).to_contain_text("60 examples are ready")
    expect(page.get_by_text("Where is room 19?").first).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Where is room 20?").first).to_be_visible()
    assert DatasetVersion.objects.get().n_examples == 60


def test_a_file_dropped_on_the_page_is_taken(open_page):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))

    page.evaluate(
        """text => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], "dropped.jsonl"));
            const drop = new DragEvent("drop", {dataTransfer: transfer, bubbles: true});
            document.querySelector("[data-zone]").dispatchEvent(drop);
        }""",
        chat_lines(3).decode(),
    )
    expect(page.locator("[data-chosen]")).to_contain_text("dropped.jsonl")
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("alert")).to_contain_text("3 examples are ready")


def test_a_broken_file_is_refused_by_line_and_can_be_replaced(open_page):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True), tolerates=["422"])
    lines = [*chat_lines(3).split(b"\n"), b"no json", b'{"messages": []}']

    field = page.get_by_label("Drop a JSONL file here")
    field.set_input_files(files=[chosen("broken.jsonl", b"\n".join(lines))])
    page.get_by_role("button", name="Upload").click()

    expect(page.get_by_role("alert")).to_contain_text("Line 4")
    problems = page.get_by_role("region", name="Problems by line")
    expect(problems.get_by_role("row")).to_have_count(3)
    assert not Dataset.objects.exists()

    field.set_input_files(files=[chosen("broken.jsonl", chat_lines(3))])
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("alert")).to_contain_text("3 examples are ready")


def test_deleting_asks_first(open_page):
    dataset = DatasetVersionFactory(dataset__name="old answers").dataset
    page = open_page(f"/datasets/{dataset.pk}/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete old answers?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).not_to_be_visible()
    assert Dataset.objects.current().exists()

    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("alert")).to_contain_text("old answers was deleted")
    assert not Dataset.objects.current().exists()
