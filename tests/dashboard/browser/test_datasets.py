"""From a dropped file to a frozen version in a real browser."""

import json
import re

from playwright.sync_api import Page, Route, expect

from dashboard.models import Dataset, DatasetImport, DatasetVersion
from dashboard.services import drafts
from tests.dashboard.browser.conftest import another_page
from tests.dashboard.views.importing import work
from tests.factories import DatasetVersionFactory, UserFactory

FIELD = "input[type=file][name=file]"
MIB = 1024 * 1024


def chat_lines(n_lines: int, *, n_bytes_each: int = 0) -> bytes:
    rows = (
        {
            "messages": [
                {"role": "user", "content": f"Where is room {number}?"},
                {"role": "assistant", "content": f"On floor {number}. {'x' * n_bytes_each}"},
            ]
        }
        for number in range(n_lines)
    )
    return "\n".join(json.dumps(row) for row in rows).encode()


def chosen(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def upload(page: Page, name: str, content: bytes) -> None:
    """Choose a file, send it, and look at what the check says of it."""
    page.locator(FIELD).set_input_files(files=[chosen(name, content)])
    page.get_by_role("button", name="Upload", exact=True).click()
    check(page)


def check(page: Page) -> None:
    expect(page).to_have_url(re.compile(r"/datasets/imports/[\w-]+/$"))
    work()
    expect(page.get_by_role("button", name="Check again")).to_be_visible()


def test_a_file_becomes_a_draft_by_steps_and_its_page_opens(open_page):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))

    page.locator(FIELD).set_input_files(files=[chosen("opening hours.jsonl", chat_lines(60))])
    expect(page.get_by_label("Name", exact=True)).to_have_value("opening hours")
    page.get_by_role("button", name="Upload", exact=True).click()
    check(page)

    expect(page.get_by_text("Taken for: OpenAI chat data")).to_be_visible()
    page.get_by_role("button", name="Import as a draft").click()
    expect(page.get_by_role("heading", name="Storing the rows")).to_be_visible()
    work()
    expect(page).to_have_url(re.compile(r"/datasets/\d+/\?version=1$"))
    expect(page.get_by_text("Where is room 4?")).to_be_visible()
    assert DatasetVersion.objects.get().n_examples == 60


def test_an_upload_survives_a_lost_connection(open_page):
    """The third piece is cut off twice; what has come already is not sent again."""
    page = open_page(
        "/datasets/upload/", user=UserFactory(admin=True), tolerates=["net::ERR_CONNECTION_RESET"]
    )
    content = chat_lines(12, n_bytes_each=MIB)
    sent: list[int] = []

    def break_sometimes(route: Route) -> None:
        if route.request.method != "PATCH":
            route.continue_()
            return
        sent.append(int(route.request.headers["upload-offset"]))
        if sent.count(8 * MIB) in (1, 2) and sent[-1] == 8 * MIB:
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/datasets/uploads/*/", break_sometimes)
    upload(page, "large.jsonl", content)

    assert sent == [0, 4 * MIB, 8 * MIB, 8 * MIB, 8 * MIB, 12 * MIB]
    assert DatasetImport.objects.get().report["n_examples"] == 12


def test_an_upload_goes_on_after_the_page_was_closed(open_page):
    user = UserFactory(admin=True)
    page = open_page("/datasets/upload/", user=user)
    content = chat_lines(12, n_bytes_each=MIB)
    pieces: list[str] = []
    lost = [True]
    page.route("**/datasets/uploads/*/", lambda route: stop_after_one(route, pieces, lost))

    choose_dated(page, "large.jsonl", content)
    with page.expect_request(lambda asked: asked.headers.get("upload-offset") == str(4 * MIB)):
        page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="MiB sent")).to_contain_text("4.")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.reload()

    pieces.clear()
    lost.clear()
    choose_dated(page, "large.jsonl", content)
    page.get_by_role("button", name="Upload", exact=True).click()
    check(page)

    assert pieces == [str(4 * MIB), str(8 * MIB), str(12 * MIB)]
    assert DatasetImport.objects.count() == 1


def choose_dated(page: Page, name: str, content: bytes) -> None:
    """Drop a file that has the same time each time, as one on a disk has."""
    page.evaluate(
        """([name, text]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], name, {lastModified: 1700000000000}));
            const drop = new DragEvent("drop", {dataTransfer: transfer, bubbles: true});
            document.querySelector("[data-zone]").dispatchEvent(drop);
        }""",
        [name, content.decode()],
    )
    expect(page.locator("[data-chosen]")).to_contain_text(name)


def stop_after_one(route: Route, pieces: list[str], lost: list[bool]) -> None:
    """Note each piece; while the connection is lost, let the first one through only."""
    if route.request.method == "PATCH":
        pieces.append(route.request.headers["upload-offset"])
        if lost and len(pieces) > 1:
            return
    route.continue_()


def test_a_folder_of_texts_is_packed_by_the_browser_and_labelled_as_a_batch(open_page, tmp_path):
    folder = tmp_path / "good reviews"
    (folder / "deeper").mkdir(parents=True)
    for number in range(11):
        (folder / f"{number}.txt").write_text(f"Sehr schön, Nummer {number}.", "utf-8")
    (folder / "deeper" / "last.txt").write_text("Überall gern.", "utf-8")
    (folder / "photo.png").write_bytes(b"\x89PNG")
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))

    page.locator("#folder").set_input_files(folder)
    expect(page.locator("[data-chosen]")).to_contain_text("good reviews.zip")
    expect(page.locator("[data-chosen]")).to_contain_text("12 files")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page).to_have_url(re.compile(r"/datasets/imports/"))
    work()
    page.get_by_label("Label of rows that name none").fill("positive")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", name="Waiting for the worker")).to_be_visible()
    work()
    page.get_by_role("button", name="Import and freeze").click()
    expect(page.get_by_role("heading", name="Storing the rows")).to_be_visible()
    work()

    expect(page).to_have_url(re.compile(r"/datasets/\d+/\?version=1$"))
    version = DatasetVersion.objects.get()
    assert (version.kind, version.n_examples, version.is_draft) == ("labelled", 12, False)
    texts = {row["text"] for row in version.examples.values_list("record", flat=True)}
    assert {"Überall gern.", "Sehr schön, Nummer 3."} <= texts
    assert set(version.examples.values_list("label", flat=True)) == {"positive"}


def test_a_wrong_line_is_told_and_shown_where_it_lies(open_page, take_picture):
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))
    lines = [*chat_lines(12).split(b"\n"), b'{"messages": [}', b"no json"]

    upload(page, "broken.jsonl", b"\n".join(lines))
    problems = page.locator("#problems li")
    expect(problems.get_by_role("button")).to_have_count(2)
    problems.get_by_role("button", name="line 13").click()

    excerpt = page.locator("#excerpt")
    expect(excerpt.get_by_role("heading")).to_have_text("Line 13")
    expect(excerpt.locator("pre")).to_have_text('{"messages": [}')
    expect(excerpt.locator("mark")).to_have_text("}")
    take_picture(page, "import-problems")
    page.get_by_label("Leave out the rows with the 2 errors").check()
    page.get_by_role("button", name="Import as a draft").click()
    expect(page.get_by_role("heading", name="Storing the rows")).to_be_visible()
    work()
    expect(page).to_have_url(re.compile(r"/datasets/\d+/\?version=1$"))
    assert DatasetVersion.objects.get().n_examples == 12


def test_the_columns_of_a_table_are_mapped_by_hand(open_page, take_picture):
    rows = "".join(f"Wo ist {number}?;Im Stock {number}.\n" for number in range(12))
    page = open_page("/datasets/upload/", user=UserFactory(admin=True))

    upload(page, "rooms.csv", f"anliegen;erwiderung\n{rows}".encode())
    expect(page.get_by_text("anliegen: Wo ist 0?")).to_be_visible()
    expect(page.get_by_role("button", name="Import as a draft")).to_have_count(0)
    page.get_by_label("Question", exact=True).select_option("anliegen")
    page.get_by_label("Answer", exact=True).select_option("erwiderung")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("heading", name="Waiting for the worker")).to_be_visible()
    work()

    expect(page.get_by_role("button", name="Import as a draft")).to_be_enabled()
    expect(page.get_by_text("Im Stock 2.", exact=True)).to_be_visible()
    take_picture(page, "import-table")


def test_a_draft_is_edited_undone_frozen_and_compared(open_page, take_picture):
    version = DatasetVersionFactory(dataset__name="rooms")
    page = open_page(f"/datasets/{version.dataset_id}/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Edit a copy").click()
    expect(page.get_by_role("heading", name="A draft")).to_be_visible()
    with another_page(page):
        page.get_by_role("link", name="Browse all").click()
    page.get_by_text("Where is room 3?").click()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Words of message 2").fill("Room 3 moved to the cellar.")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#example-3").get_by_text("edited")).to_be_visible()

    page.get_by_label("Select example 5").check()
    with another_page(page):
        page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Where is room 5?")).to_have_count(0)
    with another_page(page):
        page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Where is room 5?")).to_be_visible()
    page.get_by_label("Select example 6").check()
    with another_page(page):
        page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Where is room 6?")).to_have_count(0)

    with another_page(page):
        page.get_by_role("link", name="version 2").click()
    page.get_by_role("button", name="Freeze", exact=True).click()
    dialog = page.get_by_role("dialog", name="Freeze version 2?")
    dialog.get_by_label("Note").fill("Room 3 moved.")
    dialog.get_by_role("button", name="Freeze", exact=True).click()
    expect(page.get_by_text("frozen", exact=True)).to_be_visible()
    page.get_by_role("link", name="compare with v2").click()

    expect(page.locator("del").first).to_contain_text("is")
    expect(page.locator("ins").first).to_contain_text("moved")
    expect(page.get_by_text("Where is room 6?")).to_be_visible()
    take_picture(page, "changes")


def test_freezing_for_a_fine_tune_leads_to_its_form(open_page):
    draft = DatasetVersionFactory(draft=True)
    page = open_page(f"/datasets/{draft.dataset_id}/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Freeze and fine-tune").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Freeze and fine-tune").click()

    expect(page).to_have_url(re.compile(rf"/fine-tuning/new/\?dataset={draft.dataset_id}$"))


def test_the_examples_are_read_and_cleaned_by_keyboard_alone(open_page):
    version = DatasetVersionFactory(n_examples=25)
    draft = drafts.copy(version, actor=None)
    page = open_page(
        f"/datasets/{version.dataset_id}/versions/2/examples/", user=UserFactory(admin=True)
    )
    press = page.keyboard.press

    press("j")
    press("j")
    press("Enter")
    expect(page.locator("#opened-1")).to_contain_text("Room 1 is on floor 1.")
    expect(page).to_have_url(re.compile(r"\?open=1$"))
    press("Enter")
    expect(page.locator("#opened-1")).to_be_empty()

    press("ArrowDown")
    press("e")
    expect(page.get_by_label("Words of message 1")).to_be_focused()
    page.keyboard.type("jxd: ")  # letters here are letters
    press("Escape")
    expect(page.get_by_label("Words of message 1")).to_have_count(0)

    press("x")
    press("j")
    press("x")
    expect(page.locator("[data-count]")).to_have_text("2")
    with another_page(page):
        press("d")
    expect(page.locator("#example-2")).to_have_count(0)
    assert draft.examples.filter(removed_by=None).count() == 23
    with another_page(page):
        press("u")
    expect(page.locator("#example-2")).to_be_visible()

    press("n")
    expect(page.get_by_text("Where is room 24?")).to_be_visible()
    press("p")
    expect(page.get_by_text("Where is room 0?")).to_be_visible()
    press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    press("Escape")
    press("/")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("nowhere")
    expect(page.get_by_text("Nothing found")).to_be_visible()
    expect(page).to_have_url(re.compile(r"search=nowhere"))


def test_a_faulty_edit_says_why_and_keeps_what_was_written(open_page):
    version = DatasetVersionFactory(draft=True)
    page = open_page(
        f"/datasets/{version.dataset_id}/versions/1/examples/?at=0",
        user=UserFactory(admin=True),
        tolerates=["422"],
    )

    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_role("radio", name="JSON").check(force=True)
    page.get_by_label("The example as JSON").fill('{"messages": [}')
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert")).to_contain_text("line 1, column 15")
    expect(page.get_by_label("The example as JSON")).to_have_value('{"messages": [}')
    expect(page.locator("#example-1")).to_be_visible()


def test_the_page_of_an_upload_follows_it_and_can_cancel(open_page):
    user = UserFactory(admin=True)
    page = open_page("/datasets/upload/", user=user)
    page.locator(FIELD).set_input_files(files=[chosen("rooms.jsonl", chat_lines(12))])
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.get_by_role("heading", name="Waiting for the worker")).to_be_visible()

    page.get_by_role("button", name="Cancel").click()

    expect(page.get_by_role("heading", name="Cancelled")).to_be_visible()
    assert not Dataset.objects.exists()


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
