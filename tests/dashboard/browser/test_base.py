"""What all pages share: the theme, the navigation, the keyboard, the live socket."""

from playwright.sync_api import Page, WebSocketRoute, expect

from dashboard.services import jobs
from tests.dashboard.browser.conftest import PHONE
from tests.factories import FineTuneJobFactory, UserFactory


def test_the_theme_switches_at_once_and_stays(open_page):
    page = open_page("/datasets/", user=UserFactory(admin=True))

    page.get_by_role("button", name="Switch between light and dark").click()

    expect(page.locator("html")).to_have_attribute("data-theme", "labdark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "labdark")


def test_signing_in_and_out_by_keyboard_alone(open_page):
    user = UserFactory(admin=True, username="maya")
    user.set_password("fourteen green kettles")
    user.save()
    page = open_page("/datasets/")

    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("maya")
    page.keyboard.press("Tab")
    page.keyboard.type("fourteen green kettles")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Datasets")

    page.get_by_role("button", name="Sign out").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(open_page):
    page = open_page("/datasets/", user=UserFactory(admin=True))

    page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()


def test_on_a_phone_the_navigation_opens_and_leads_on(open_page):
    page = open_page("/datasets/", user=UserFactory(admin=True), size=PHONE)
    link = page.get_by_role("navigation").get_by_role("link", name="Fine-tuning")
    expect(link).not_to_be_in_viewport()

    page.get_by_role("checkbox", name="Navigation").focus()
    page.keyboard.press("Space")
    expect(link).to_be_in_viewport()
    link.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Fine-tuning")


def test_a_page_that_lost_its_socket_misses_nothing(open_page):
    """What happens while the socket is down is replayed when it is back."""
    job = FineTuneJobFactory(running=True)
    routes: list[WebSocketRoute] = []

    def watch(page: Page) -> None:
        def meet(route: WebSocketRoute) -> None:
            route.connect_to_server()
            routes.append(route)

        page.route_web_socket("**/ws/live/", meet)

    page = open_page("/fine-tuning/", user=UserFactory(admin=True), before=watch)
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    routes[0].close(code=1012)
    job.status = "succeeded"
    job.save()
    jobs.announce(job)

    expect(page.get_by_text("succeeded")).to_be_visible()
    assert len(routes) == 2


def test_a_reader_who_signed_out_elsewhere_meets_the_sign_in_page(open_page):
    user = UserFactory(admin=True)
    page = open_page("/fine-tuning/", user=user)
    expect(page.locator("html")).to_have_attribute("data-live", "on")

    user.set_password("another one")  # ends every session
    user.save()
    page.reload()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
