"""How the bot listens and speaks on a server, as an admin sets it."""

import pytest

from dashboard.models import AuditEvent, OutboxEvent, VoiceSettings
from tests.factories import DiscordGuildFactory, PlaceSettingsFactory, UserFactory

pytestmark = pytest.mark.django_db

SETTINGS = {
    "recognizers": ["sphinx", "google"],
    "synthesizers": ["piper", "espeak"],
    "voice": "amy",
    "speaks": "always",
    "wake_name": "Ada",
    "needs_wake_name": "on",
    "leaves_after_s": "900",
    "keeps_audio_days": "7",
}


@pytest.fixture
def guild():
    return DiscordGuildFactory(name="City library")


@pytest.fixture
def admin(client):
    client.force_login(UserFactory(admin=True))
    return client


def save(client, guild, **changes):
    return client.post(f"/servers/{guild.pk}/voice/", {**SETTINGS, **changes})


def order(page: str, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: page.index(f'value="{name}"'))


def test_chains_are_kept_in_the_order_in_which_the_page_sends_them(admin, guild):
    save(admin, guild)

    row = VoiceSettings.objects.get(guild=guild)
    assert row.recognizers == ["sphinx", "google"]
    assert row.synthesizers == ["piper", "espeak"]
    page = admin.get(f"/servers/{guild.pk}/voice/").content.decode()
    assert order(page, ["google", "sphinx", "openai"]) == ["sphinx", "google", "openai"]


def test_every_choice_is_stored_told_and_written_into_the_audit_log(admin, guild):
    answer = save(admin, guild)

    row = VoiceSettings.objects.get(guild=guild)
    assert answer.status_code == 302
    assert (row.voice, row.speaks, row.wake_name) == ("amy", "always", "Ada")
    assert (row.needs_wake_name, row.can_be_interrupted) == (True, False)
    assert (row.leaves_after_s, row.keeps_audio_days) == (900, 7)
    assert OutboxEvent.objects.filter(topic="settings").exists()
    assert AuditEvent.objects.filter(action="voice.change").exists()


def test_no_choice_at_all_is_as_in_the_settings(admin, guild):
    save(admin, guild)

    save(admin, guild, recognizers=[], synthesizers=[])

    row = VoiceSettings.objects.get(guild=guild)
    assert (row.recognizers, row.synthesizers) == ([], [])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"recognizers": ["nobody"]}, "nobody is not one of the available choices"),
        ({"keeps_audio_days": "400"}, "less than or equal to 365"),
        ({"leaves_after_s": "1"}, "1 is not one of the available choices"),
        ({"voice": "x" * 101}, "at most 100 characters"),
    ],
)
def test_a_bad_value_is_refused_beside_its_field(admin, guild, changes, sentence):
    answer = save(admin, guild, **changes)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not VoiceSettings.objects.exists()


def test_an_odd_wait_that_is_in_force_stays_a_choice(admin, guild):
    VoiceSettings.objects.create(guild=guild, leaves_after_s=77)

    page = admin.get(f"/servers/{guild.pk}/voice/").content.decode()

    assert '<option value="77" selected>After 77 s</option>' in page


def test_what_is_for_tests_only_is_not_offered(admin, guild):
    page = admin.get(f"/servers/{guild.pk}/voice/").content.decode()

    assert 'value="scripted"' not in page


def test_the_page_of_a_server_says_what_becomes_of_voices(admin, guild):
    VoiceSettings.objects.create(guild=guild, speaks="never", keeps_audio_days=1)

    page = admin.get(f"/servers/{guild.pk}/").content.decode()

    assert "Answers are never spoken; recordings are kept 1 day." in page


@pytest.mark.django_db(transaction=True)
def test_each_who_hears_and_speaks_says_why_it_cannot_be_used_now(admin, guild, speech_server):
    PlaceSettingsFactory(guild=guild, language="ru-RU")
    speech_server.standings = [
        standing("sphinx", hears=True, languages=["en"]),
        standing("faster_whisper", hears=True, problem="No model is set."),
        standing("espeak", speaks=True, voices=["f1", "m3"]),
    ]

    page = admin.get(f"/servers/{guild.pk}/voice/standings/").content.decode()

    assert "It does not know the language of this server, ru-RU." in told(page, "hears-sphinx")
    assert "No model is set." in told(page, "hears-faster_whisper")
    assert "Can be used now." in told(page, "speaks-espeak")
    assert '<option value="m3"></option>' in page


@pytest.mark.django_db(transaction=True)
def test_a_speech_server_that_is_away_is_the_reason_for_all_of_its_providers(
    admin, guild, speech_server, settings
):
    settings.SPEECH_BASE_URL = "http://127.0.0.1:9/v1"

    page = admin.get(f"/servers/{guild.pk}/voice/standings/").content.decode()

    assert page.count("127.0.0.1:9") == 1
    for name in ("hears-google", "hears-sphinx", "speaks-gtts", "speaks-piper"):
        assert "Cannot be used now, see above." in told(page, name)


def standing(name: str, **about: object) -> dict[str, object]:
    return {"name": name, "hears": False, "speaks": False, "problem": "", **about}


def told(page: str, name: str) -> str:
    _, found, rest = page.partition(f'id="standing-{name}"')
    assert found, name
    return rest.partition("</p>")[0]
