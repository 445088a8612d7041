"""The review queue on the keyboard alone, in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from dashboard.models import Correction
from tests.dashboard.browser.conftest import LOOKS, PHONE
from tests.factories import (
    CorrectionFactory,
    DiscordChannelFactory,
    DiscordGuildFactory,
    GuildSettingsFactory,
    QuestionFactory,
    UserFactory,
)

State = Correction.State


def state_of(correction: Correction) -> str:
    correction.refresh_from_db()
    return correction.state


def test_a_queue_is_worked_without_a_mouse_and_the_focus_is_never_lost(open_page):
    grace = UserFactory(trainer=True, username="grace")
    QuestionFactory(content="Where is the lift?")
    rows = [
        CorrectionFactory(question=question)
        for question in ("Where is the door?", "Where is the lift?", "Who paints?", "Who sings?")
    ]
    door, lift, paints, sings = rows
    page = open_page("/corrections/", user=grace)
    in_focus = page.locator("[data-card]:focus")
    counted = page.get_by_role("navigation", name="State")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")

    page.keyboard.press("j")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {sings.pk}")
    page.keyboard.press("a")
    expect(counted).to_contain_text("In force 1")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {paints.pk}")
    assert state_of(sings) == State.APPROVED

    page.keyboard.press("r")
    page.get_by_label("Why").fill("Nobody does.")
    page.keyboard.press("Control+Enter")
    expect(counted).to_contain_text("Rejected 1")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {lift.pk}")
    assert (state_of(paints), paints.review_note) == (State.REJECTED, "Nobody does.")
    expect(in_focus).to_contain_text("Would also have answered 1 past question")

    page.keyboard.press("e")
    words = page.get_by_label("The right answer")
    words.press("Control+a")
    words.press_sequentially("On the left, @everyone.", delay=5)
    expect(page.get_by_role("dialog")).to_contain_text("pings nobody")
    expect(words).to_be_focused()
    expect(words).to_have_value("On the left, @everyone.")
    page.keyboard.press("Escape")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {lift.pk}")

    page.keyboard.press("u")
    expect(counted).to_contain_text("Waiting 3")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {paints.pk}")
    assert state_of(paints) == State.PROPOSED

    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_role("form", name="What is selected")).to_contain_text("2 selected")
    page.keyboard.press("m")
    expect(page.locator("#decided")).to_have_text("2 corrections assigned to grace.")
    page.keyboard.press("a")
    expect(page.locator("#decided")).to_have_text("2 corrections approved.")
    expect(in_focus).to_have_attribute("aria-label", f"Correction {door.pk}")
    page.keyboard.press("a")
    expect(page.locator("#main")).to_be_focused()
    assert {state_of(row) for row in rows} == {State.APPROVED}


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_the_queue_and_a_page_fit_the_screen(open_page, take_picture, theme, size):
    admin = UserFactory(admin=True, username="maya")
    guild = DiscordGuildFactory(name="City library")
    channel = DiscordChannelFactory(guild=guild, name="help-desk")
    GuildSettingsFactory(guild=guild, reviewers_needed=2)
    for number in range(3):
        QuestionFactory(
            content=("When does it open?", "when does it open", "What opens when?")[number]
        )
    CorrectionFactory(approved=True, question="When does it open?", better_answer="At eight.")
    CorrectionFactory(approved=True, question="when does it open", better_answer="At ten.")
    disputed = CorrectionFactory(
        question="When does it open?",
        rejected_answer="It never closes, and it opens at ten on Mondays.",
        better_answer="It closes at six, and it opens at nine on Mondays. " + "x" * 200,
        channel=channel,
        guild=guild,
        is_disputed=True,
        assignee=admin,
    )
    for name, approves in (("grace", True), ("ada", False)):
        disputed.votes.create(
            user=UserFactory(username=name), name=name, approves=approves, revision=1
        )
    wide = re.compile("alarm")

    page = open_page("/corrections/", user=admin, theme=theme, size=size)
    expect(page.locator("#alarms")).to_contain_text(wide)
    page.get_by_text("Comments and history").first.scroll_into_view_if_needed()
    expect(page.locator("[data-card]").first).to_contain_text("answers the same question otherwise")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    take_picture(page, f"review-{theme}-{size[0]}")
    page.locator("#alarms summary").click()
    page.locator("[data-picks]").first.check()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    take_picture(page, f"review-alarms-{theme}-{size[0]}")
    page.goto(f"/corrections/{disputed.pk}/")
    expect(page.locator("#talk")).to_contain_text("Comments and history")
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    take_picture(page, f"review-one-{theme}-{size[0]}")
    page.get_by_role("button", name="Edit").click()
    expect(page.get_by_role("dialog")).to_contain_text("answers the same question otherwise")
    take_picture(page, f"review-edit-{theme}-{size[0]}")
    assert size == PHONE or page.get_by_label("Where it counts").is_visible()
