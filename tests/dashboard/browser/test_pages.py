"""Every page in a real browser: both themes, a desk and a phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.browser.conftest import DESKTOP, LOOKS, PHONE
from tests.dashboard.browser.stage import furnish
from tests.factories import UserFactory

PAGES = [
    "/overview/",
    "/datasets/",
    "/datasets/upload/",
    "/datasets/{dataset}/",
    "/fine-tuning/",
    "/fine-tuning/new/",
    "/fine-tuning/{running}/",
    "/fine-tuning/{succeeded}/",
    "/evaluations/",
    "/evaluations/new/?version={labelled}",
    "/evaluations/{test}/?show=all",
    "/evaluations/{waiting_test}/",
    "/models/",
    "/servers/",
    "/servers/{guild}/",
    "/servers/{guild}/channels/{channel}/",
    "/servers/direct/",
    "/calls/{call}/",
    "/settings/",
    "/account/",
    "/account/password/",
]
EMPTY_PAGES = [
    "/overview/",
    "/datasets/",
    "/fine-tuning/",
    "/fine-tuning/new/",
    "/evaluations/",
    "/servers/",
]


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_every_page_fits_its_screen_and_breaks_no_rule(
    open_page, endpoint, theme, size, take_picture
):
    stage = furnish()
    endpoint.models[0]["fine_tune_methods"] = ["knn", "supervised"]

    page = open_page("/account/password/", user=stage.admin, theme=theme, size=size)

    for address in PAGES:
        look_at(page, address.format(**stage.ids))
        take_picture(page, f"{name_of(address)}-{theme}-{size[0]}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
def test_an_empty_system_tells_the_next_step_on_every_page(open_page, size, take_picture):
    page = open_page("/account/password/", user=UserFactory(admin=True), size=size)

    for address in EMPTY_PAGES:
        look_at(page, address)
        take_picture(page, f"empty-{name_of(address)}-{size[0]}")


def look_at(page: Page, address: str) -> None:
    """Go there, wait until all of it has come, and measure it."""
    page.goto(address)
    expect(page.locator("html")).to_have_attribute("data-live", "on")
    expect(page.locator(".loading:visible")).to_have_count(0)
    page.evaluate("document.fonts.ready")
    widths = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], f"{address} is {widths[0]} pixels wide, the screen {widths[1]}"


def name_of(address: str) -> str:
    return re.sub(r"\W+", "-", address).strip("-")
