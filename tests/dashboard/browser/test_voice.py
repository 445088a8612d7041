"""Voice in a real browser, whose microphone beeps."""

import re

from playwright.sync_api import Page, expect

from dashboard.models import Utterance, VoiceSettings
from dashboard.services import calls
from dashboard.services.access import Person, Role
from tests.dashboard.browser.conftest import another_page
from tests.factories import (
    DiscordGuildFactory,
    DiscordUserFactory,
    UserFactory,
    VoiceCallFactory,
)
from tests.fakes.speech import Refusal

HEARD = "When does the library open?"


def record(page: Page) -> None:
    page.locator("[data-record]").click()
    expect(page.get_by_role("button", name="Done")).to_be_visible()
    # A second at least: whoever looks late finds more.
    expect(page.locator("[data-clock]")).to_have_text(re.compile(r"0:(0[1-9]|[1-5]\d) of 2:00"))
    page.get_by_role("button", name="Done").click()


def test_a_question_is_asked_by_voice_and_its_answer_heard(open_page, endpoint):
    user = UserFactory()
    page = open_page("/playground/", user=user, tolerates=["422"])
    page.get_by_label("Spoken in").select_option("en-US")
    endpoint.script.refusals = dict.fromkeys(
        ("google", "faster_whisper", "sphinx"), Refusal(422, "nothing_heard")
    )

    record(page)
    expect(page.get_by_role("alert")).to_contain_text("No words could be made out")
    assert not endpoint.chats

    endpoint.script.refusals, endpoint.script.lasts_s = {}, 30.0
    record(page)
    expect(page.get_by_text(HEARD)).to_be_visible()
    expect(page.get_by_text("Hello there.")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()

    assert endpoint.chats[-1]["messages"][-1]["content"] == HEARD
    heard = Utterance.objects.get()
    assert (heard.text, heard.language) == (HEARD, "en-US")
    assert heard.message is not None
    assert heard.message.conversation.user == user
    assert [(each.text, each.language) for each in endpoint.spoken] == [("Hello there.", "en-US")]


def test_a_chain_is_ordered_saved_and_tried(open_page, endpoint):
    guild = DiscordGuildFactory()
    page = open_page(f"/servers/{guild.pk}/voice/", user=UserFactory(admin=True))

    page.get_by_label("eSpeak NG").check()
    page.get_by_label("Piper").check()
    page.get_by_role("button", name="Move eSpeak NG up").click()
    page.keyboard.press("Enter")
    with another_page(page):
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It is in force")).to_be_visible()
    page.get_by_label("Words to say").fill("Good morning.")
    page.get_by_role("button", name="Say it").click()
    expect(page.get_by_text("eSpeak NG · 0.5 s")).to_be_visible()
    record(page)

    expect(page.get_by_text(HEARD)).to_be_visible()
    assert VoiceSettings.objects.get().synthesizers == ["espeak", "piper"]


def test_an_open_page_shows_who_speaks_and_what_was_said(open_page, endpoint):
    call, ada = VoiceCallFactory(), DiscordUserFactory(name="Ada Lovelace")
    page = open_page(f"/calls/{call.pk}/", user=UserFactory(trainer=True))
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    who = str(ada.discord_user_id)
    calls.report(call.pk, figures={"speaking": [who], "people": [who]})
    expect(page.get_by_role("list", name="In the call")).to_contain_text("Ada Lovelace")
    expect(page.get_by_text("speaks")).to_be_visible()
    calls.show_words(call.pk, {ada.discord_user_id: "Good eve"})
    expect(page.get_by_role("status", name="Being said")).to_contain_text("Good eve…")
    calls.show_words(call.pk, {})
    expect(page.get_by_text("is saying")).to_have_count(0)
    person = Person(role=Role.MEMBER, name="Ada", discord_user_id=ada.discord_user_id)
    calls.log_utterance(calls.Said("Good evening, bot."), call_id=call.pk, person=person)

    expect(page.get_by_text("Good evening, bot.")).to_be_visible()
    calls.unwant(call.pk, because="Everybody had left.")
    expect(page.get_by_text("Everybody had left.")).to_be_visible()
