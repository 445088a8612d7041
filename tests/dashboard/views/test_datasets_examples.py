"""The rows of a version in the browser: found, opened, edited, picked out."""

import json
import re

import pytest

from dashboard.models import Provenance
from dashboard.services.access import Role
from tests.factories import DatasetVersionFactory, ExampleFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def draft():
    return DatasetVersionFactory(draft=True, n_examples=25)


def base(version) -> str:
    return f"/datasets/{version.dataset_id}/versions/{version.number}/"


def words(version, *contents: str) -> dict[str, str]:
    """What the form of a two-message row posts."""
    return {f"text.messages.{index}.content": text for index, text in enumerate(contents)}


def test_the_examples_come_page_by_page_as_a_page_or_as_a_fragment(trainer, draft):
    first = trainer.get(f"{base(draft)}examples/").content.decode()
    second = trainer.get(f"{base(draft)}examples/?after=19", headers=HTMX).content.decode()

    assert "Where is room 19?" in first
    assert "Where is room 20?" not in first
    assert "Where is room 24?" in second
    assert "<html" not in second


def test_an_address_can_name_the_row_that_is_open(trainer, draft):
    page = trainer.get(f"{base(draft)}examples/?at=22").content.decode()

    assert "Room 22 is on floor 22." in page
    assert 'aria-expanded="true"' in page
    assert "Where is room 21?" not in page


def test_filters_are_links_that_keep_each_other(trainer):
    version = DatasetVersionFactory(
        draft=True,
        kind="labelled",
        n_examples=0,
        summary={"labels": {"counts": {"good": 2, "bad": 1}}},
    )
    provenance = Provenance.objects.create(source="upload")
    for position, label in enumerate(["good", "bad", "good"]):
        ExampleFactory(
            version=version,
            position=position,
            label=label,
            provenance=provenance,
            record={"text": f"text {position}", "label": label},
            question=f"text {position}",
        )

    page = trainer.get(f"{base(version)}examples/?label=good&marked=").content.decode()

    assert "text 0" in page
    assert "text 1" not in page
    assert re.search(r'href="[^"]*\?label=bad"', page)
    assert re.search(r'aria-current="true">good', page)


def test_a_damaged_filter_is_refused_in_words(trainer, draft):
    response = trainer.get(f"{base(draft)}examples/?marked=nonsense", headers=HTMX)

    assert response.status_code == 400
    assert "no such filter" in json.loads(response["HX-Trigger"])["problem"]["sentence"]


def test_a_search_without_an_answer_offers_to_show_all(trainer, draft):
    page = trainer.get(f"{base(draft)}examples/?search=zebra").content.decode()

    assert "Nothing found" in page
    assert "Show all" in page


def test_an_open_row_shows_all_that_it_holds(trainer):
    version = DatasetVersionFactory(draft=True, n_examples=0)
    call = {
        "id": "c1",
        "type": "function",
        "function": {"name": "find_room", "arguments": '{"number": 7}'},
    }
    record = {
        "messages": [
            {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
            {"role": "user", "content": "Where is room 7?"},
            {"role": "assistant", "content": None, "tool_calls": [call], "weight": 0},
            {"role": "tool", "tool_call_id": "c1", "content": "floor 7"},
        ],
        "tools": [{"type": "function", "function": {"name": "find_room"}}],
        "parallel_tool_calls": False,
    }
    ExampleFactory(version=version, position=3, record=record)

    page = trainer.get(f"{base(version)}examples/3/").content.decode()

    assert "Be kind." in page
    assert "find_room" in page
    assert "&quot;number&quot;: 7" in page
    assert "answers c1" in page
    assert "weight 0" in page
    assert "parallel_tool_calls" in page


def test_both_answers_of_a_preference_stand_side_by_side(trainer):
    version = DatasetVersionFactory(draft=True, kind="preference", n_examples=0)
    record = {
        "input": {"messages": [{"role": "user", "content": "When?"}]},
        "preferred_output": [{"role": "assistant", "content": "At nine."}],
        "non_preferred_output": [{"role": "assistant", "content": "Never."}],
    }
    ExampleFactory(version=version, position=0, record=record)

    page = trainer.get(f"{base(version)}examples/0/").content.decode()

    assert page.index("Preferred") < page.index("At nine.") < page.index("Not preferred")
    assert "Never." in page


def test_private_places_are_marked_and_a_duplicate_leads_to_the_first(trainer):
    version = DatasetVersionFactory(draft=True, n_examples=0)
    messages = [{"role": "user", "content": "Write to ann@example.org, please."}]
    ExampleFactory(
        version=version,
        position=4,
        record={"messages": messages},
        n_private=1,
        duplicate_of=2,
        likeness=0.87,
    )

    page = trainer.get(f"{base(version)}examples/4/").content.decode()

    assert re.search(r"<mark[^>]*>ann@example.org</mark>", page)
    assert "87\N{NO-BREAK SPACE}% like" in page
    assert "?at=2" in page


def test_words_are_rewritten_and_the_row_comes_back_anew(trainer, draft):
    path = f"{base(draft)}examples/3/edit/"
    form = trainer.get(path).content.decode()
    seen = re.search(r'name="seen" value="(\w+)"', form)[1]

    page = trainer.post(path, words(draft, "Where is it?", "Upstairs.") | {"seen": seen})

    row = draft.examples.get(position=3)
    assert [message["content"] for message in row.messages] == ["Where is it?", "Upstairs."]
    assert "edited" in page.content.decode()
    assert 'id="example-3"' in page.content.decode()


def test_line_ends_of_browsers_change_nothing(trainer, draft):
    row = draft.examples.get(position=3)
    row.record["messages"][0]["content"] = "two\nlines"
    row.save()

    trainer.post(f"{base(draft)}examples/3/edit/", words(draft, "two\r\nlines", "New answer."))

    row.refresh_from_db()
    assert row.messages[0]["content"] == "two\nlines"


def test_an_example_can_be_edited_as_json(trainer, draft):
    record = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}

    trainer.post(f"{base(draft)}examples/0/edit/", {"json": json.dumps(record)})

    assert draft.examples.get(position=0).record == record


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "line 1, column 2"),
        ("[]", "JSON object"),
        ('{"messages": [], "a": NaN}', "NaN"),
        ('{"messages": []}', "messages"),
        ("[" * 100_000, "not JSON"),
    ],
    ids=["cut", "list", "nan", "empty", "deep"],
)
def test_a_faulty_row_is_refused_in_words_and_what_was_written_stays(trainer, draft, written, said):
    response = trainer.post(f"{base(draft)}examples/0/edit/", {"json": written})

    assert response.status_code == 422
    assert said in response.content.decode()
    assert response["HX-Retarget"] == "#opened-0"
    assert draft.examples.get(position=0).edited is False


def test_a_row_that_somebody_else_changed_meanwhile_is_not_overwritten(trainer, draft):
    response = trainer.post(
        f"{base(draft)}examples/0/edit/", words(draft, "a", "b") | {"seen": "x" * 24}
    )

    assert response.status_code == 422
    assert "Somebody else changed" in response.content.decode()


def test_a_frozen_version_offers_no_edit_and_takes_none(trainer):
    version = DatasetVersionFactory(n_examples=2)

    page = trainer.get(f"{base(version)}examples/?at=0").content.decode()
    response = trainer.post(f"{base(version)}examples/0/edit/", words(version, "a", "b"))

    assert "data-edit" not in page
    assert 'name="position"' not in page
    assert response.status_code == 422
    assert "frozen" in response.content.decode()


def test_ticked_rows_are_removed_and_come_back_by_undo(trainer, draft):
    trainer.post(
        f"{base(draft)}examples/selection/", {"act": "remove", "position": ["1", "3"]}, headers=HTMX
    )
    assert draft.examples.filter(removed_by=None).count() == 23

    response = trainer.post(f"{base(draft)}undo/", headers=HTMX)

    assert response["HX-Refresh"] == "true"
    assert draft.examples.filter(removed_by=None).count() == 25


def test_all_that_a_filter_finds_is_removed_at_once(trainer, draft):
    draft.examples.filter(position__lt=5).update(n_private=1)

    trainer.post(
        f"{base(draft)}examples/selection/", {"act": "remove", "all": "1", "marked": "private"}
    )

    assert draft.examples.filter(removed_by=None).count() == 20


@pytest.mark.parametrize("act", ["", "nonsense"])
def test_a_selection_without_an_act_is_refused(trainer, draft, act):
    response = trainer.post(f"{base(draft)}examples/selection/", {"act": act, "position": "1"})

    assert response.status_code == 400


def test_a_row_can_be_written_here(trainer, draft):
    form = trainer.get(f"{base(draft)}examples/add/").content.decode()
    assert "Add an example" in form

    response = trainer.post(f"{base(draft)}examples/add/", words(draft, "Who?", "Ann."))

    row = draft.examples.order_by("-position").first()
    assert row.question == "Who?"
    assert row.provenance.source == "dashboard"
    assert response["HX-Redirect"].endswith(f"?at={row.position}")


def test_who_may_only_look_cannot_change(reader, draft):
    response = reader(Role.MEMBER).post(f"{base(draft)}examples/0/edit/", words(draft, "a", "b"))

    assert response.status_code == 403
