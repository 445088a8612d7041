"""Every page of datasets in a real browser: both themes, a desk and a phone."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils.timezone import now

from dashboard.models import DatasetImport, DatasetVersion, Provenance, Task
from dashboard.services import drafts, exports, imports
from dashboard.services.imports import moving
from tests.dashboard.browser.conftest import DESKTOP, LOOKS, PHONE
from tests.dashboard.browser.test_pages import look_at, name_of
from tests.dashboard.views.importing import work
from tests.factories import DatasetVersionFactory, ExampleFactory, UserFactory

LONG = "https://example.org/a-very-long-address-without-any-space-in-it/" + "x" * 160
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "find_room", "arguments": json.dumps({"number": 7, "address": LONG})},
}
RECORDS: dict[str, list[dict[str, Any]]] = {
    "chat": [
        {
            "messages": [
                {"role": "system", "content": "You are kind."},
                {"role": "user", "content": f"Where is room {number}? See {LONG}"},
                {"role": "assistant", "content": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "call_1", "content": "floor 7"},
                {
                    "role": "assistant",
                    "content": "Write to ann@example.org, or call +49 30 901820.",
                },
            ],
            "tools": [{"type": "function", "function": {"name": "find_room"}}],
        }
        for number in range(24)
    ],
    "preference": [
        {
            "input": {"messages": [{"role": "user", "content": f"When, on day {number}?"}]},
            "preferred_output": [{"role": "assistant", "content": "At nine."}],
            "non_preferred_output": [{"role": "assistant", "content": f"Never. {LONG}"}],
        }
        for number in range(12)
    ],
    "unpaired": [
        {
            "prompt": [{"role": "user", "content": f"When, on day {number}?"}],
            "completion": [{"role": "assistant", "content": "At nine."}],
            "label": number % 3 > 0,
        }
        for number in range(12)
    ],
    "labelled": [
        {
            "text": f"Sehr schön, Nummer {number}.",
            "label": ["positive", "negative", "a rather long label"][number % 3],
            "name": f"{number}.txt",
        }
        for number in range(12)
    ],
}


def pages(admin: User) -> list[str]:
    """The address of every page, each with something to show."""
    found = ["/datasets/", "/datasets/upload/"]
    for kind, records in RECORDS.items():
        version = imported(admin, records, name=f"set of {kind} rows").version
        assert version is not None
        assert version.kind == kind
        base = f"/datasets/{version.dataset_id}/"
        found += [base, f"{base}versions/1/examples/?at=0"]
    return [
        *found,
        *draft_pages(admin),
        *import_pages(admin),
    ]


def draft_pages(admin: User) -> list[str]:
    version = DatasetVersion.objects.get(kind="chat")
    drafts.freeze(version, actor=admin, note="As it came in.")
    draft = drafts.copy(version, actor=admin)
    row = draft.examples.get(position=2)
    row.record["messages"][1]["content"] = "Where is room 2, please?"
    drafts.rewrite(row, record=row.record, actor=admin)
    drafts.remove(draft, chosen=[3, 4], actor=admin)
    drafts.split(draft, shares={"train": 0.8, "validation": 0.2}, seed=1, actor=admin)
    drafts.undo(draft, actor=admin)
    exports.start(draft, formats=["chat-jsonl"], actor=admin)
    Task.objects.unfinished().update(run_at=now())  # the examination waits for more edits
    work()
    exports.start(draft, formats=["csv", "parquet"], actor=admin)
    said = Provenance.objects.create(source="discord_message", author="ann", licence="CC-BY-4.0")
    draft.examples.filter(position__lt=3).update(provenance=said)
    base = f"/datasets/{draft.dataset_id}/"
    return [base, f"{base}versions/2/examples/?marked=removed", f"{base}versions/2/changes/"]


def import_pages(admin: User) -> list[str]:
    lines = [json.dumps(row) for row in RECORDS["chat"]]
    faulty = [*lines, '{"messages": [}', "no json " + LONG]
    table = "produkt;meinung\n" + "".join(f"Lampe {n};Sehr gut {LONG}\n" for n in range(20))
    waiting = imports.begin_upload(filename=f"{LONG}.jsonl"[-200:], n_bytes=900, created_by=admin)
    imports.receive(waiting, offset=0, pieces=[b"x" * 300])
    failed = imports.begin_upload(filename="failed.jsonl", n_bytes=9, created_by=admin)
    moving.end(failed, DatasetImport.State.FAILED, error="The disk is full. Make room.")
    found = [
        given(admin, "\n".join(faulty).encode(), "faulty.jsonl"),
        given(admin, table.encode(), "lamps.csv"),
        given(admin, bytes(range(256)) * 9, "photo.jpg"),
        waiting,
        failed,
    ]
    return [f"/datasets/imports/{each.key}/" for each in found]


def given(admin: User, content: bytes, filename: str) -> DatasetImport:
    begun = imports.begin_upload(filename=filename, n_bytes=len(content), created_by=admin)
    imports.receive(begun, offset=0, pieces=[content])
    work()
    begun.refresh_from_db()
    return begun


def imported(admin: User, records: list[dict[str, Any]], *, name: str) -> DatasetImport:
    content = "\n".join(json.dumps(record) for record in records).encode()
    begun = given(admin, content, f"{name}.jsonl")
    imports.start_import(begun, name=name, actor=admin, licence="CC0-1.0")
    work()
    begun.refresh_from_db()
    return begun


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_of_datasets_fits_its_screen_and_breaks_no_rule(
    open_page, theme, size, take_picture
):
    admin = UserFactory(admin=True, username="maya")
    addresses = pages(admin)

    page = open_page("/account/password/", user=admin, theme=theme, size=size)

    for number, address in enumerate(addresses):
        look_at(page, address)
        take_picture(page, f"{number:02}-{name_of(address)[:40]}-{theme}-{size[0]}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_the_editor_of_each_kind_fits_its_screen(open_page, size, take_picture):
    admin = UserFactory(admin=True)
    page = open_page("/account/password/", user=admin, size=size)

    for kind, records in RECORDS.items():
        version = DatasetVersionFactory(draft=True, kind=kind, n_examples=0)
        ExampleFactory(version=version, position=0, record=records[0])
        look_at(page, f"/datasets/{version.dataset_id}/versions/1/examples/?at=0")
        page.get_by_role("button", name="Edit", exact=True).click()
        page.locator("[data-editor]").wait_for()
        widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert widths[0] <= widths[1], kind
        take_picture(page, f"editor-{kind}-{size[0]}")
