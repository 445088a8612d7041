"""Every address times every role: who comes in, and what the others are told."""

import json
import uuid

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, reverse
from django.utils.timezone import now

from dashboard.models import SuitePoll, Verdict
from dashboard.services import access, exports, imports, retirements
from dashboard.services.access import MATRIX, Permission, Role
from dashboard.services.suites import polls
from dashboard.urls import urlpatterns
from dashboard.views import doors
from tests.dashboard.views.conftest import make_user
from tests.factories import (
    AliasFactory,
    AnswerFactory,
    ConversationFactory,
    CorrectionFactory,
    DatasetVersionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    DiscordRoleFactory,
    EvaluationFactory,
    FineTuneJobFactory,
    IncidentFactory,
    QuestionFactory,
    SuiteRunFactory,
    TrainingFactory,
    UserFactory,
    VoiceCallFactory,
    suite_version,
)
from trainerbot.errors import InvalidInput

PUBLIC = {"healthz", "readyz", "sign-in", "sign-out", "start"}
GUARDED = [pattern for pattern in urlpatterns if pattern.name not in PUBLIC]
NOBODY = 999_999

pytestmark = pytest.mark.django_db


def permission_of(pattern: URLPattern) -> Permission:
    permission: Permission = pattern.callback.permission
    return permission


def has_id(pattern: URLPattern) -> bool:
    return bool(pattern.pattern.converters)


def replacement() -> Verdict:
    suite_version()
    return retirements.begin("small", "large", actor=None)


def existing_row(pattern: URLPattern) -> dict[str, object]:
    """What names a row that the address may be about."""
    names = pattern.pattern.converters
    if "key" in names:
        imported = imports.begin_upload(filename="a.jsonl", n_bytes=9, created_by=None)
        return {"key": imported.key}
    if "export" in names:
        version = DatasetVersionFactory()
        return {"export": exports.start(version, formats=["chat-jsonl"], actor=None).key}
    resource = str(pattern.pattern).split("/")[0]
    if resource == "servers":
        guild = DiscordGuildFactory()
        named = {
            "pk": guild.pk,
            "role": DiscordRoleFactory(guild=guild).pk,
            "channel": DiscordChannelFactory(guild=guild).pk,
        }
        return {name: named[name] for name in names}
    if "taught" in str(pattern.name):
        return {name: TrainingFactory().pk for name in names}
    if resource == "releases":
        return {"name": AliasFactory(answered_by="small").name}
    if pattern.name == "speech-recording":
        recorded = QuestionFactory(conversation=ConversationFactory())
        recorded.audio.save("sound.ogg", ContentFile(b"OggS"))
        return {"pk": recorded.pk}
    if pattern.name == "run-poll-end":
        return {"pk": open_poll().pk}
    rows = {
        "bot": IncidentFactory,
        "datasets": lambda: DatasetVersionFactory(number=1).dataset,
        "fine-tuning": FineTuneJobFactory,
        "models": replacement,
        "evaluations": EvaluationFactory,
        "suites": suite_version,
        "runs": SuiteRunFactory,
        "corrections": CorrectionFactory,
        "conversations": ConversationFactory,
        "playground": ConversationFactory,
        "answers": AnswerFactory,
        "calls": VoiceCallFactory,
        "speech": lambda: AnswerFactory(content=""),  # nothing to say, so nobody is asked
    }
    return {"pk": rows[resource]().pk} | {name: 1 for name in names if name != "pk"}


def open_poll() -> SuitePoll:
    """A poll on Discord about two runs."""
    version = suite_version(n_cases=1)
    runs = [SuiteRunFactory(version=version, rights=[each]) for each in (True, False)]
    channel = DiscordChannelFactory()
    admin = UserFactory(admin=True)
    [poll] = polls.ask(*runs, channel_id=channel.pk, hours=1, n=1, actor=admin)
    polls.posted(poll.pk, message_id=7, ends_at=now())
    return poll


def no_row(pattern: URLPattern) -> dict[str, object]:
    """What names no row."""
    names = pattern.pattern.converters
    return {name: uuid.uuid4() if name in ("key", "export") else NOBODY for name in names}


def ask(client: Client, pattern: URLPattern, named: dict[str, object]) -> object:
    """By whichever method the address takes."""
    path = reverse(pattern.name, kwargs=named or None)
    tus = {"Tus-Resumable": "1.0.0"}
    response = client.get(path)
    if response.status_code == 405:
        response = client.post(path, headers=tus)
    return client.head(path, headers=tus) if response.status_code == 405 else response


def by_name(pattern: URLPattern) -> str:
    return str(pattern.name)


@pytest.mark.parametrize("pattern", GUARDED, ids=by_name)
def test_every_page_says_which_permission_it_needs(pattern):
    assert isinstance(permission_of(pattern), Permission)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("pattern", GUARDED, ids=by_name)
@pytest.mark.origin(7)
def test_every_page_opens_for_those_who_may_and_for_nobody_else(pattern, role, reader):
    client = reader(role)
    named = existing_row(pattern) if has_id(pattern) else {}

    response = ask(client, pattern, named)

    if role is Role.ANONYMOUS:
        assert response.status_code == 302
        assert response["Location"].startswith("/sign-in/?next=")
    elif permission_of(pattern) in MATRIX[role]:
        assert response.status_code not in (401, 403, 500), response.content
    else:
        assert response.status_code == 403
        assert not response.content or f"A {role} may not" in response.content.decode()


@pytest.mark.parametrize("pattern", list(filter(has_id, GUARDED)), ids=by_name)
def test_an_id_that_is_none_is_answered_with_404(pattern, admin):
    response = ask(admin, pattern, no_row(pattern))

    assert response.status_code == 404


def test_a_fragment_sends_the_signed_out_to_sign_in_and_back_to_the_page(client):
    response = client.get(
        "/overview/tiles/",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/overview/?a=b"},
    )

    assert response.status_code == 401
    assert response["HX-Redirect"] == "/sign-in/?next=%2Foverview%2F%3Fa%3Db"


def test_a_fragment_that_is_refused_says_why_over_the_page(reader):
    response = reader(Role.MEMBER).get("/datasets/rows/", headers={"HX-Request": "true"})

    assert response.status_code == 403
    assert "A member may not" in json.loads(response["HX-Trigger"])["problem"]["sentence"]


def test_a_refusal_over_the_page_fits_into_a_header(rf):
    request = rf.post("/models/use/", headers={"HX-Request": "true"})

    response = doors.refusal(request, InvalidInput("There is no model " + "x" * 100_000))

    assert len(response["HX-Trigger"]) < 1_000


@pytest.mark.parametrize("path", ["/servers/", "/conversations/", "/datasets/", "/fine-tuning/"])
def test_a_null_character_in_an_address_is_refused_in_words(admin, path):
    response = admin.get(path, {"q": "a\0b"})

    assert response.status_code == 400
    assert "no text" in response.content.decode()


def test_a_script_is_refused_in_json(reader):
    response = reader(Role.MEMBER).post("/datasets/upload/", headers={"Accept": "application/json"})

    assert response.status_code == 403
    assert "A member may not" in response.json()["problem"]


def test_a_script_that_was_signed_out_is_told_so(client):
    response = client.post("/datasets/upload/", headers={"Accept": "application/json"})

    assert response.status_code == 401
    assert "Sign in again" in response.json()["problem"]


def test_an_account_that_was_shut_is_out_at_once(client):
    user = make_user(Role.ADMIN)
    client.force_login(user)
    user.is_active = False
    user.save()

    assert client.get("/overview/").status_code == 302


@pytest.mark.origin(7)
def test_a_form_without_its_token_is_refused_in_words():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory(admin=True))

    response = client.post("/settings/", {"max_tokens": 5})

    assert response.status_code == 403
    assert "page was too old" in response.content.decode()


def test_a_page_that_does_not_exist_is_a_page_of_ours(client):
    response = client.get("/nothing/here/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_the_navigation_shows_only_what_the_reader_may_open(reader):
    page = reader(Role.MEMBER).get("/account/password/").content.decode()

    assert 'href="/datasets/"' not in page
    assert 'href="/settings/"' not in page


def test_the_matrix_knows_every_role():
    assert set(access.MATRIX) == set(Role)
