"""The review queue."""

import pytest

from dashboard.models import Correction
from dashboard.services import corrections
from tests.factories import AnswerFactory, CorrectionFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
State = Correction.State


@pytest.fixture
def member(client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def trainer(client):
    user = UserFactory(trainer=True)
    client.force_login(user)
    return user


def act(client, correction, verb, *, query="", **fields):
    fields.setdefault("state", correction.state)
    return client.post(f"/corrections/{correction.pk}/{verb}/{query}", fields, headers=HTMX)


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ("proposed", "Nothing waits for review"),
        ("approved", "No correction is in force yet"),
        ("rejected", "Nothing was rejected"),
    ],
)
def test_every_empty_tab_tells_what_belongs_there(client, trainer, state, told):
    assert told in client.get(f"/corrections/?state={state}").content.decode()


def test_the_page_opens_on_what_waits_if_something_does(client, trainer):
    CorrectionFactory(approved=True, question="Already decided?")
    assert "Already decided?" in client.get("/corrections/").content.decode()

    CorrectionFactory(question="To be decided?")

    page = client.get("/corrections/").content.decode()
    assert "To be decided?" in page
    assert "Already decided?" not in page


def test_old_and_right_answer_stand_side_by_side_with_their_difference_marked(client, trainer):
    CorrectionFactory(
        rejected_answer="It opens at ten on Monday.", better_answer="It opens at nine on Monday."
    )

    page = client.get("/corrections/").content.decode()

    assert ">ten</del>" in page
    assert ">nine</ins>" in page


def test_the_difference_never_turns_words_into_markup(client, trainer):
    CorrectionFactory(rejected_answer="<i>a</i> b", better_answer="<i>a</i> c")

    page = client.get("/corrections/").content.decode()

    assert "<i>" not in page


def test_approving_puts_it_in_force_and_returns_the_queue(client, trainer):
    correction = CorrectionFactory()

    queue = act(client, correction, "approve", query="?state=proposed")

    correction.refresh_from_db()
    assert (correction.state, correction.reviewer) == (State.APPROVED, trainer)
    assert "Nothing waits for review" in queue.content.decode()
    assert queue["HX-Retarget"] == "#queue"


def test_without_scripts_approving_leads_back_to_the_list(client, trainer):
    correction = CorrectionFactory()

    answer = client.post(
        f"/corrections/{correction.pk}/approve/?state=proposed", {"state": "proposed"}
    )

    assert answer.status_code == 302
    assert answer.url == "/corrections/?state=proposed"


def test_editing_what_waits_also_approves_it(client, trainer):
    correction = CorrectionFactory()

    act(client, correction, "edit", better_answer="At nine sharp.")

    correction.refresh_from_db()
    assert (correction.state, correction.better_answer) == (State.APPROVED, "At nine sharp.")


def test_editing_what_is_in_force_leaves_it_there(client, trainer):
    correction = CorrectionFactory(approved=True)

    act(client, correction, "edit", better_answer="At nine sharp.")

    correction.refresh_from_db()
    assert (correction.state, correction.better_answer) == (State.APPROVED, "At nine sharp.")


def test_the_edit_dialog_starts_from_the_present_words(client, trainer):
    correction = CorrectionFactory(better_answer="\nAt <nine>.")

    dialog = client.get(f"/corrections/{correction.pk}/edit/").content.decode()

    # A browser drops the first line end of a text area; the words keep theirs.
    assert ">\n\nAt &lt;nine&gt;.</textarea>" in dialog


def test_rejecting_keeps_the_reason_for_its_author(client, trainer):
    correction = CorrectionFactory()

    act(client, correction, "reject", note="The hours changed.")

    correction.refresh_from_db()
    assert (correction.state, correction.review_note) == (State.REJECTED, "The hours changed.")
    page = client.get("/corrections/?state=rejected").content.decode()
    assert "The hours changed." in page


def test_a_rejected_one_can_still_be_put_in_force(client, trainer):
    correction = CorrectionFactory(state=State.REJECTED)

    act(client, correction, "approve")

    correction.refresh_from_db()
    assert correction.state == State.APPROVED


@pytest.mark.parametrize("verb", ["approve", "reject", "edit"])
def test_a_decision_on_an_outdated_page_is_refused_in_words(client, trainer, verb):
    correction = CorrectionFactory()
    corrections.reject(correction=Correction.objects.get(), reviewer=None)

    refused = act(client, correction, verb, state="proposed", better_answer="At nine.")

    words = refused.get("HX-Trigger", "") + refused.content.decode()
    assert "somebody else was faster" in words
    correction.refresh_from_db()
    assert correction.state == State.REJECTED


@pytest.mark.parametrize("words", ["", "  "])
def test_an_empty_edit_is_refused_in_words(client, trainer, words):
    correction = CorrectionFactory()

    refused = act(client, correction, "edit", better_answer=words)

    assert refused.status_code == 422
    correction.refresh_from_db()
    assert correction.state == State.PROPOSED


def test_on_its_own_page_a_decision_returns_the_card(client, trainer):
    correction = CorrectionFactory()

    card = act(client, correction, "approve", query="?view=card")

    assert card["HX-Retarget"] == f"#correction-{correction.pk}"
    assert "In force" in card.content.decode()


def test_teaching_directly_needs_no_wrong_answer(client, trainer):
    taught = client.post(
        "/corrections/teach/", {"question": "Who has the key?", "better_answer": "Maya."}
    )

    correction = Correction.objects.get()
    assert (correction.question, correction.better_answer) == ("Who has the key?", "Maya.")
    assert correction.state == State.APPROVED
    assert taught.url == f"/corrections/{correction.pk}/"


def test_what_a_member_teaches_waits(client, member):
    client.post("/corrections/teach/", {"question": "Who?", "better_answer": "Maya."})

    assert Correction.objects.get().state == State.PROPOSED


def test_teaching_nothing_is_refused_in_words(client, trainer):
    refused = client.post("/corrections/teach/", {"question": " ", "better_answer": "Maya."})

    assert refused.status_code == 422
    assert "The question is empty" in refused.content.decode()


@pytest.mark.parametrize("verb", ["approve", "reject", "edit"])
def test_a_member_decides_nothing_not_even_on_their_own(client, member, verb):
    correction = CorrectionFactory(author=member)

    refused = act(client, correction, verb, better_answer="At nine.")

    assert refused.status_code == 403
    correction.refresh_from_db()
    assert correction.state == State.PROPOSED


def test_a_member_sees_only_what_they_taught(client, member):
    own = CorrectionFactory(author=member, question="Mine?")
    other = CorrectionFactory(question="Not for me?")

    page = client.get("/corrections/").content.decode()

    assert "Mine?" in page
    assert "Not for me?" not in page
    assert "Approve" not in page
    assert client.get(f"/corrections/{own.pk}/").status_code == 200
    assert client.get(f"/corrections/{other.pk}/").status_code == 404


def test_the_card_leads_to_where_it_was_said(client, trainer):
    answer = AnswerFactory()
    correction = CorrectionFactory(message=answer, n_fired=3)

    page = client.get(f"/corrections/{correction.pk}/").content.decode()

    assert f'href="/conversations/{answer.conversation_id}/"' in page
    assert "answered 3 times" in page


def test_the_queue_comes_in_pages(client, trainer):
    for number in range(25):
        CorrectionFactory(question=f"question {number}?")

    first = client.get("/corrections/?state=proposed")
    second = client.get(
        "/corrections/", {"state": "proposed", "after": first.context["page"].after}
    )

    assert "question 24?" in first.content.decode()
    assert "question 4?" in second.content.decode()
