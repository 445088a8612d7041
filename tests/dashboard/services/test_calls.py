"""Where the bot wants to be, how it fares there, what was said."""

import pytest

from dashboard.models import AuditEvent, OutboxEvent, Utterance, VoiceCall, VoiceSettings
from dashboard.services import calls, privacy
from dashboard.services.access import Person, Role
from dashboard.services.calls import Place, Said
from tests.factories import DiscordUserFactory

pytestmark = pytest.mark.django_db

ADA = Person(Role.MEMBER, "Ada", discord_user_id=42)
LOUNGE, GENERAL = Place(11, "lounge"), Place(12, "general")


def want(channel=LOUNGE, *, guild=7, text_channel=GENERAL):
    return calls.want(
        discord_guild_id=guild,
        guild_name="Testers",
        channel=channel,
        text_channel=text_channel,
        actor=ADA,
    )


def kinds() -> list[str]:
    events = OutboxEvent.objects.filter(topic=calls.TOPIC).order_by("id")
    return list(events.values_list("kind", flat=True))


def test_a_wish_is_kept_until_it_is_taken_back():
    wish = want()
    assert calls.wanted([7]) == [wish]
    assert calls.wanted([8]) == []
    assert (wish.discord_channel_id, wish.discord_text_channel_id) == (11, 12)

    assert calls.unwant(wish.call_id, because="Ada asked it to leave.", actor=ADA)

    assert calls.wanted([7]) == []
    call = VoiceCall.objects.get()
    assert (call.state, call.ended_because) == ("ended", "Ada asked it to leave.")
    assert not calls.unwant(wish.call_id, because="Again.")
    assert kinds() == ["call.began", "call.ended"]
    assert list(AuditEvent.objects.order_by("pk").values_list("action", flat=True)) == [
        "call.join",
        "call.leave",
    ]


def test_who_was_in_a_call_is_forgotten_with_its_end():
    wish = want()
    calls.report(wish.call_id, figures={"people": ["42"], "speaking": ["42"], "heard": 9})

    calls.unwant(wish.call_id, because="Ada asked it to leave.")

    assert VoiceCall.objects.get().figures == {"heard": 9}


def test_asked_from_another_channel_the_same_call_goes_on_there():
    first = want()
    second = want(Place(13, "attic"), text_channel=None)

    assert second.call_id == first.call_id
    assert (second.discord_channel_id, second.discord_text_channel_id) == (13, None)
    calls.moved(first.call_id, channel=LOUNGE)
    assert calls.wanted([7])[0].discord_channel_id == 11


def test_after_it_has_left_it_can_be_wanted_again():
    first = want()
    calls.unwant(first.call_id, because="Alone.")

    assert want().call_id != first.call_id


def test_each_guild_says_how_long_it_stays_alone():
    wish = want()
    assert (wish.leaves_after_s, wish.keeps_audio_days) == (300, 0)
    guild = VoiceCall.objects.get().guild

    VoiceSettings.objects.create(guild=guild, leaves_after_s=0, keeps_audio_days=7)

    [wish] = calls.wanted([7])
    assert (wish.leaves_after_s, wish.keeps_audio_days) == (0, 7)


def test_each_guild_says_who_else_hears_what_is_said(settings):
    settings.SPEECH_RECOGNIZERS = ["faster_whisper", "sphinx"]
    assert want().heard_by == ()
    guild = VoiceCall.objects.get().guild

    VoiceSettings.objects.create(guild=guild, recognizers=["sphinx", "google", "openai"])
    settings.OPENAI_BASE_URL = "https://models.example/v1"

    [wish] = calls.wanted([7])
    assert wish.heard_by == ("Google", "models.example")


def test_how_it_goes_is_told_to_open_pages():
    wish = want()

    assert calls.report(wish.call_id, state=VoiceCall.State.CONNECTED, figures={"heard": 3})
    assert calls.report(wish.call_id, problem="Nothing arrives.")

    call = VoiceCall.objects.get()
    assert (call.state, call.problem, call.figures) == (
        "connected",
        "Nothing arrives.",
        {"heard": 3},
    )
    assert call.connected_at
    assert kinds() == ["call.began", "call.changed", "call.changed"]


def test_what_has_ended_is_reported_on_no_more():
    wish = want()
    calls.unwant(wish.call_id, because="Alone.")

    assert not calls.report(wish.call_id, state=VoiceCall.State.CONNECTED)
    calls.moved(wish.call_id, channel=GENERAL)

    call = VoiceCall.objects.get()
    assert (call.state, call.channel.name) == ("ended", "lounge")


def test_what_is_said_is_kept_with_how_its_answer_went():
    wish = want()
    said = Said("Привет", "ru-RU", "scripted", duration_s=1.25, stages_ms={"heard": 40})

    utterance_id = calls.log_utterance(said, call_id=wish.call_id, person=ADA)
    calls.note_answer(
        utterance_id, spoken="Прив", was_interrupted=True, stages_ms={"first_sound": 90}
    )

    row = Utterance.objects.get()
    assert (row.text, row.duration_ms, row.discord_user.discord_user_id) == ("Привет", 1250, 42)
    assert (row.spoken, row.was_interrupted) == ("Прив", True)
    assert row.stages_ms == {"heard": 40, "first_sound": 90}
    assert kinds() == ["call.began", "utterance.changed", "utterance.changed"]


def test_what_was_erased_meanwhile_is_no_fault():
    wish = want()
    utterance_id = calls.log_utterance(Said(problem="Noise."), call_id=wish.call_id, person=ADA)
    VoiceCall.objects.all().delete()

    calls.note_answer(utterance_id, spoken="", was_interrupted=False, stages_ms={})
    assert calls.log_utterance(Said("Hello"), call_id=wish.call_id, person=ADA) is None
    assert Utterance.objects.count() == 0


def test_what_is_being_said_is_shown_and_nothing_of_it_kept():
    wish = want()
    calls.show_words(wish.call_id, {42: "When do"})
    assert VoiceCall.objects.get().words == {"42": "When do"}
    assert [kinds()[-1]] == ["words.changed"]
    assert "When do" not in str(list(OutboxEvent.objects.values_list("payload", flat=True)))

    calls.show_words(wish.call_id, {})
    assert VoiceCall.objects.get().words == {}


@pytest.mark.parametrize(
    "over",
    [
        lambda call_id: calls.unwant(call_id, because="Ada asked it to leave."),
        lambda call_id: calls.report(call_id, state=VoiceCall.State.RECONNECTING),
        lambda call_id: calls.forget_words(),
    ],
)
def test_words_that_were_never_final_do_not_outlast_the_connection(over):
    wish = want()
    calls.show_words(wish.call_id, {42: "When do"})

    over(wish.call_id)

    assert VoiceCall.objects.get().words == {}


def test_of_a_long_speech_its_newest_words_are_shown_and_of_an_ended_call_none():
    wish = want()
    calls.show_words(wish.call_id, {42: "a" * 600 + "b"})
    assert VoiceCall.objects.get().words["42"] == "a" * 499 + "b"

    calls.unwant(wish.call_id, because="Ada asked it to leave.")
    calls.show_words(wish.call_id, {42: "When do"})
    assert VoiceCall.objects.get().words == {}


def test_who_has_all_of_theirs_erased_leaves_no_half_sentence_behind():
    ada = DiscordUserFactory(name="Ada")
    wish = want()
    calls.show_words(wish.call_id, {ada.discord_user_id: "When do"})

    privacy.erase(ada.discord_user_id, corrections_too=False)

    assert VoiceCall.objects.get().words == {}
