"""The queue on the pages: filtered, in bulk, with comments, alarms and what is ahead."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.models import AuditEvent, Correction
from dashboard.services import corrections
from tests.factories import (
    AnswerFactory,
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordTalkFactory,
    GuildSettingsFactory,
    QuestionFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
State = Correction.State


@pytest.fixture
def member(client):
    user = UserFactory()
    client.force_login(user)
    return user


@pytest.fixture
def grace(client):
    user = UserFactory(trainer=True, username="grace")
    client.force_login(user)
    return user


def listed(client, **query):
    page = client.get("/corrections/", {"state": "proposed"} | query)
    return [row.pk for row in page.context["page"].rows]


def picked(*rows):
    return [f"{row.pk}:{row.state}:{row.revision}" for row in rows]


# --- filters ----------------------------------------------------------------------------
def test_the_list_is_filtered_by_whom_it_is_with(client, grace):
    mine = CorrectionFactory(assignee=grace)
    other = CorrectionFactory(assignee=UserFactory(trainer=True))
    nobodys = CorrectionFactory()

    assert listed(client, assignee="me") == [mine.pk]
    assert listed(client, assignee="nobody") == [nobodys.pk]
    assert listed(client, assignee=other.assignee_id) == [other.pk]


def test_the_list_is_filtered_by_place_author_words_and_disagreement(client, grace):
    channel = DiscordChannelFactory()
    here = CorrectionFactory(guild=channel.guild, channel=channel)
    server = CorrectionFactory(guild=channel.guild, author_name="Ada")
    everywhere = CorrectionFactory(better_answer="100 % sure.", is_disputed=True)

    assert listed(client, place=f"channel-{channel.pk}") == [here.pk]
    assert listed(client, place=f"guild-{channel.guild_id}") == [server.pk, here.pk]
    assert listed(client, place="everywhere") == [everywhere.pk]
    assert listed(client, author="ada") == [server.pk]
    assert listed(client, text="100 %") == [everywhere.pk]
    assert listed(client, only="disputed") == [everywhere.pk]
    assert "Nothing matches" in client.get("/corrections/?text=zebra").content.decode()


@pytest.mark.parametrize("query", [{"assignee": "x"}, {"place": "guild-0"}, {"text": "x" * 201}])
def test_a_filter_that_is_none_is_refused_in_words(client, grace, query):
    assert client.get("/corrections/", query).status_code == 400


def test_members_filter_only_what_is_theirs(client, member):
    CorrectionFactory(is_disputed=True)
    own = CorrectionFactory(author=member)

    page = client.get("/corrections/", {"only": "disputed", "assignee": "nobody"}).content.decode()

    assert f"#{own.pk}" in page
    assert "With anybody" not in page


# --- many at once -----------------------------------------------------------------------
def test_many_are_approved_at_once_each_with_its_own_check(client, grace):
    rows = [CorrectionFactory() for _ in range(4)]
    chosen = picked(*rows)
    corrections.reject(
        correction=Correction.objects.get(pk=rows[0].pk),
        reviewer=UserFactory(trainer=True, username="maya"),
    )
    corrections.edit(
        correction=Correction.objects.get(pk=rows[1].pk),
        better_answer="At noon.",
        editor=UserFactory(trainer=True, username="ada"),
    )

    answer = client.post("/corrections/bulk/", {"picked": chosen, "act": "approve"}, headers=HTMX)

    said = answer["HX-Trigger"]
    assert "2 corrections approved; 2 not:" in said
    assert "was rejected by maya already" in said
    assert "was changed by ada meanwhile" in said
    assert [Correction.objects.get(pk=row.pk).state for row in rows] == [
        State.REJECTED,
        State.PROPOSED,
        State.APPROVED,
        State.APPROVED,
    ]


def test_many_are_rejected_with_one_reason_and_assigned_to_one_person(client, grace):
    rows = [CorrectionFactory(), CorrectionFactory()]
    client.post("/corrections/bulk/", {"picked": picked(*rows), "act": "assign", "assignee": "me"})
    client.post("/corrections/bulk/", {"picked": picked(*rows), "act": "reject", "note": "Spam."})

    for row in rows:
        row.refresh_from_db()
        assert (row.assignee, row.state, row.review_note) == (grace, State.REJECTED, "Spam.")


def test_votes_that_wait_for_others_are_told_as_that(client, grace):
    row = CorrectionFactory(guild=GuildSettingsFactory(reviewers_needed=2).guild)

    answer = client.post(
        "/corrections/bulk/", {"picked": picked(row), "act": "approve"}, headers=HTMX
    )

    assert "of which 1 still waits for others" in answer["HX-Trigger"]


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "approve"},
        {"act": "explode", "picked": "1:proposed:1"},
        {"act": "approve", "picked": "x"},
        {"act": "approve", "picked": ["1:proposed:1"] * 101},
        {"act": "assign", "picked": "1:proposed:1", "assignee": "999999"},
    ],
)
def test_what_cannot_be_done_to_many_is_refused_in_words(client, grace, fields):
    answer = client.post("/corrections/bulk/", fields)

    assert answer.status_code == 400
    assert b"Traceback" not in answer.content


# --- one by one -------------------------------------------------------------------------
def test_whoever_may_not_review_is_given_nothing(client, grace):
    row = CorrectionFactory()

    refused = client.post(f"/corrections/{row.pk}/assign/", {"assignee": UserFactory().pk})

    assert refused.status_code == 400
    row.refresh_from_db()
    assert row.assignee is None


def test_an_edit_from_a_page_that_shows_older_words_is_refused(client, grace):
    row = CorrectionFactory()
    corrections.edit(
        correction=Correction.objects.get(pk=row.pk), better_answer="At noon.", editor=None
    )

    refused = client.post(
        f"/corrections/{row.pk}/edit/",
        {"state": "proposed", "revision": "1", "better_answer": "At ten."},
        headers=HTMX,
    )

    assert "somebody else was faster" in refused.content.decode()
    row.refresh_from_db()
    assert row.better_answer == "At noon."


def test_the_place_is_chosen_while_teaching_editing_and_moving(client, grace):
    channel = DiscordChannelFactory()
    client.post(
        "/corrections/teach/",
        {
            "question": "Who?",
            "better_answer": "Maya.",
            "place": f"channel-{channel.pk}",
        },
    )
    row = Correction.objects.get()
    assert row.channel == channel

    moved = {"state": "approved", "revision": "1", "place": f"guild-{channel.guild_id}"}
    client.post(f"/corrections/{row.pk}/move/", moved)
    row.refresh_from_db()
    assert (row.guild, row.channel) == (channel.guild, None)

    edited = {
        "state": "approved",
        "revision": "2",
        "better_answer": "Ada.",
        "place": f"channel-{channel.pk}",
    }
    client.post(f"/corrections/{row.pk}/edit/", edited)
    row.refresh_from_db()
    assert (row.better_answer, row.channel) == ("Ada.", channel)


def test_a_trainer_is_offered_no_place_off_the_server_and_gets_none(client, grace):
    talk = DiscordTalkFactory()
    DiscordChannelFactory()
    row = corrections.propose_for(
        message=AnswerFactory(conversation=talk), better_answer="At nine."
    )

    dialog = client.get(f"/corrections/{row.pk}/move/").content.decode()
    refused = client.post(
        f"/corrections/{row.pk}/move/",
        {"state": "proposed", "place": "everywhere"},
        headers=HTMX,
    )

    assert 'value="everywhere"' not in dialog
    assert refused.status_code == 422
    assert "You cannot choose this place" in refused.content.decode()


def test_an_answer_of_a_server_is_corrected_for_that_server(client, grace):
    answer = AnswerFactory(conversation=DiscordTalkFactory())

    told = client.post(f"/answers/{answer.pk}/correct/", {"better_answer": "At nine."})

    row = Correction.objects.get()
    assert row.guild == answer.conversation.discord_channel.guild
    assert f"asks this again on {row.guild.name}" in told.content.decode()


def test_undo_is_offered_says_on_what_and_shows_it_again(client, grace):
    row = CorrectionFactory()
    client.post(f"/corrections/{row.pk}/approve/", {"state": "proposed"})
    assert f"Undo what you did to #{row.pk}" in client.get("/corrections/").content.decode()

    back = client.post("/corrections/undo/?state=approved", headers=HTMX)

    assert f'id="correction-{row.pk}"' in back.content.decode()
    assert f'"focus": {row.pk}' in back["HX-Trigger"]
    row.refresh_from_db()
    assert row.state == State.PROPOSED


# --- comments and history ---------------------------------------------------------------
def test_its_author_and_reviewers_talk_about_it(client, member):
    own = CorrectionFactory(author=member)
    other = CorrectionFactory()

    said = client.post(f"/corrections/{own.pk}/comment/", {"text": "<b>Since May.</b>"})

    assert said.status_code == 302
    page = client.get(f"/corrections/{own.pk}/").content.decode()
    assert "&lt;b&gt;Since May.&lt;/b&gt;" in page
    assert client.post(f"/corrections/{other.pk}/comment/", {"text": "x"}).status_code == 404
    assert client.get(f"/corrections/{other.pk}/history/").status_code == 404
    assert AuditEvent.objects.get(action="correction.comment").actor == member


@pytest.mark.parametrize("text", ["", "  ", "x" * 4_001])
def test_a_comment_of_nothing_or_too_much_is_refused_in_words(client, grace, text):
    row = CorrectionFactory()

    refused = client.post(f"/corrections/{row.pk}/comment/", {"text": text}, headers=HTMX)

    assert refused.status_code == 422
    assert 'role="alert"' in refused.content.decode()
    assert not row.comments.exists()


# --- ahead and alarms -------------------------------------------------------------------
def test_a_form_is_told_what_its_words_would_do(client, grace):
    other = CorrectionFactory(approved=True, question="When does the library open?")
    QuestionFactory(content="when does the library open")

    told = client.post(
        "/corrections/foresee/",
        {"question": "When does the library open?", "better_answer": "At nine."},
        headers=HTMX,
    ).content.decode()

    assert "Would also have answered 1 past question" in told
    assert f">#{other.pk}</a> answers the same question otherwise" in told


@pytest.mark.parametrize(
    "fields",
    [
        {"question": "x" * 100_000, "better_answer": "y"},
        {"question": "q", "better_answer": "y", "place": "guild-0"},
    ],
)
def test_a_form_that_cannot_be_saved_is_told_so_before(client, grace, fields):
    told = client.post("/corrections/foresee/", fields, headers=HTMX)

    assert told.status_code == 200
    assert 'role="alert"' in told.content.decode()


def test_alarms_stand_above_the_queue_and_are_counted_on_the_overview(client, grace):
    for answer in ("At nine.", "At ten."):
        CorrectionFactory(approved=True, question="When?", better_answer=answer)

    assert (
        "answer the same question differently"
        in client.get("/corrections/alarms/").content.decode()
    )
    assert "1 alarm" in client.get("/corrections/alarms/count/").content.decode()


def test_a_long_queue_takes_no_more_queries_than_a_short_one(
    client, grace, django_assert_max_num_queries
):
    guild = GuildSettingsFactory(reviewers_needed=2).guild
    voter = UserFactory(trainer=True, username="maya")

    def waiting(n: int) -> None:
        for _ in range(n):
            corrections.approve(correction=CorrectionFactory(guild=guild), reviewer=voter)

    waiting(2)
    with CaptureQueriesContext(connection) as short:
        client.get("/corrections/queue/?state=proposed")
    waiting(10)

    with django_assert_max_num_queries(len(short)):
        page = client.get("/corrections/queue/?state=proposed").content.decode()
    assert page.count("1 of 2 approved") == 12
