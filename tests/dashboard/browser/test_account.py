"""Saying who one is on Discord: a code that is shown, used, and gone from the page."""

import pytest
from playwright.sync_api import expect

from dashboard.services import links
from dashboard.services.access import Person, Role
from tests.dashboard.browser.conftest import LOOKS
from tests.factories import UserFactory


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_a_code_is_made_used_and_the_page_notices(open_page, theme, size, take_picture):
    page = open_page("/account/", user=UserFactory(username="maya"), theme=theme, size=size)
    take_picture(page, f"account-unlinked-{theme}-{size[0]}")
    page.get_by_role("button", name="Make a code").click()
    shown = page.locator("#link-code")
    expect(shown).to_be_visible()
    take_picture(page, f"account-code-{theme}-{size[0]}")

    ada = Person(role=Role.MEMBER, name="ada.lovelace", discord_user_id=77)
    links.redeem(person=ada, code=shown.inner_text().removeprefix("/link "))

    expect(page.get_by_text("ada.lovelace")).to_be_visible()
    take_picture(page, f"account-linked-{theme}-{size[0]}")
    page.get_by_role("button", name="Unlink").click()
    expect(page.get_by_text("Unlinked.")).to_be_visible()
    expect(page.get_by_role("button", name="Make a code")).to_be_visible()
