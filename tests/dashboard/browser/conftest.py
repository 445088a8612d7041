"""A real Chromium on the real web process, both outside of the test process.

A page that breaks the content security policy, logs an error or throws fails
its test, whatever else the test looks at.
"""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.fakes.openai_endpoint import API_KEY
from tests.fakes.speech import FakeSpeech

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A microphone that beeps, and nobody who has to allow it.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
# Long enough for a machine that does much else at the same time.
PATIENCE_MS = 60_000
DESKTOP = (1440, 900)
PHONE = (390, 844)

expect.set_options(timeout=PATIENCE_MS)

Open = Callable[..., Page]
# Set it to a folder to get a picture of every page that the tests look at.
PICTURES = os.environ.get("TRAINERBOT_PICTURES", "")
# Each theme and each screen: colours make no page wider. The other two are for people to see.
LOOKS = [
    pytest.param("lab", DESKTOP, id="lab-desk"),
    pytest.param("labdark", PHONE, id="labdark-phone"),
]
if PICTURES:
    LOOKS += [
        pytest.param("labdark", DESKTOP, id="labdark-desk"),
        pytest.param("lab", PHONE, id="lab-phone"),
    ]


@contextmanager
def another_page(page: Page) -> Iterator[None]:
    """Do what leads to another page, or to this one anew, and wait until its scripts listen.

    A key or a click that comes before them is lost; and of a page that is being left,
    "there is no such thing" is true too early.
    """
    with page.expect_event("load"):
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def running_endpoint() -> Iterator[FakeSpeech]:
    """The scripted endpoint of models and of speech that the web process asks."""
    with FakeSpeech() as running:
        yield running


@pytest.fixture
def endpoint(running_endpoint: FakeSpeech) -> FakeSpeech:
    """The endpoint as if just started."""
    running_endpoint.reset()
    return running_endpoint


@pytest.fixture(scope="session")
def web_process(django_db_setup: None, running_endpoint: FakeSpeech) -> Iterator[str]:
    """The address of one web process for all browser tests, on the rows of the tests."""
    at = connection.settings_dict
    address = (
        f"sqlite:///{at['NAME']}"
        if connection.vendor == "sqlite"
        else f"postgres://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    )
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        listener.set_inheritable(True)
        port, handle = listener.getsockname()[1], listener.fileno()
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "uvicorn", "trainerbot.asgi:application"),
                *("--fd", str(handle), "--log-level", "warning"),
            ],
            env=os.environ
            | {
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "DATABASE_URL": address,
                "TRAINERBOT_TESTS_DATA": str(settings.DATA_DIR),
                "SECRET_KEY": settings.SECRET_KEY,
                "MODELSERVER_PORT": str(urlsplit(running_endpoint.base_url).port),
                "MODELSERVER_API_KEY": API_KEY,
            },
            pass_fds=[handle],
        )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def server(web_process: str, transactional_db: None) -> str:
    """The address of the web process, with fresh rows."""
    return web_process


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while True:
        assert process.poll() is None, "the web process ended at start"
        try:
            with urllib.request.urlopen(address, timeout=60):
                return
        except OSError:
            assert time.monotonic() < until, "the web process does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """One Chromium for all browser tests: to start it takes longer than most of them."""
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"There is no {CHROMIUM}: install Debian's package chromium.")
        pytest.skip(f"NOT TESTED IN A BROWSER: there is no {CHROMIUM}. Install chromium.")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield started, loop
        asyncio._set_running_loop(loop)
        started.close()


@pytest.fixture
def browser(
    chromium: tuple[Browser, asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Browser]:
    """The browser, without any page."""
    started, loop = chromium
    # Playwright's own event loop lives in this thread, where tests make rows,
    # and where the async tests between these run loops of their own.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    asyncio._set_running_loop(loop)
    yield started
    asyncio._set_running_loop(None)


@pytest.fixture
def open_page(server: str, browser: Browser) -> Iterator[Open]:
    """Open pages: `open_page("/datasets/", user=trainer, theme="labdark", size=PHONE)`.

    before: what to do with the page before it goes anywhere.
    tolerates: statuses of refusals that the test is about, such as "422", or failures of the
    network, such as "net::ERR_CONNECTION_RESET".
    """
    complaints: list[str] = []

    def open_(
        path: str,
        *,
        user: User | None = None,
        theme: str = "lab",
        size: tuple[int, int] = DESKTOP,
        before: Callable[[Page], None] | None = None,
        tolerates: Sequence[str] = (),
    ) -> Page:
        width, height = size
        context = browser.new_context(
            base_url=server,
            viewport={"width": width, "height": height},
            reduced_motion="reduce",
        )
        cookies = {"theme": theme}
        if user is not None:
            client = Client()
            client.force_login(user)
            name = settings.SESSION_COOKIE_NAME
            cookies[name] = client.cookies[name].value
        context.add_cookies(
            [{"name": name, "value": value, "url": server} for name, value in cookies.items()]
        )
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))

        def hear(message: ConsoleMessage) -> None:
            words = [each if "::" in each else f"a status of {each} " for each in tolerates]
            expected = any(each in message.text for each in words)
            if message.type == "error" and not expected:
                complaints.append(message.text)

        page.on("console", hear)
        if before is not None:
            before(page)
        page.goto(path)
        return page

    yield open_
    for context in browser.contexts:
        context.close()
    assert not complaints, complaints


@pytest.fixture
def take_picture() -> Callable[[Page, str], None]:
    """Keep a picture of a page for people to look at, if they named a folder."""

    def take(page: Page, name: str) -> None:
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"{name}.png"), full_page=True)

    return take
