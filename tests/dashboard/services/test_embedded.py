"""Commands bring the model server up for themselves when nobody else has."""

import http.server
import os
import threading
from collections.abc import Iterator

import pytest

from dashboard.services import embedded
from tests.ports import free_port
from trainerbot.errors import ProviderUnavailable


@pytest.fixture(autouse=True)
def port(settings) -> int:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = ""
    port = free_port()
    settings.MODELSERVER_PORT, settings.MODELSERVER_URL = port, f"http://127.0.0.1:{port}/v1"
    return port


@pytest.fixture
def web_page(port) -> Iterator[list[str]]:
    """Another program on the port, which answers 404; the paths that it was asked for."""
    asked: list[str] = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield asked
        server.shutdown()
        thread.join()


def test_it_runs_for_as_long_as_it_is_needed(settings):
    assert not embedded.answers()
    with embedded.running():
        assert embedded.answers()
    assert not embedded.answers()


def test_one_that_runs_already_is_used_and_left_running():
    with embedded.running():
        with embedded.running():
            assert embedded.answers()
        assert embedded.answers()


def test_it_ends_even_when_the_work_fails():
    with pytest.raises(ZeroDivisionError), embedded.running():
        raise ZeroDivisionError
    assert not embedded.answers()


def test_it_is_not_started_for_another_endpoint(settings):
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    with embedded.running():
        assert not embedded.answers()


def test_a_port_that_another_program_holds_is_told_in_words(web_page):
    with pytest.raises(ProviderUnavailable, match="did not start") as raised, embedded.running():
        pass
    assert "Traceback" not in str(raised.value)
    assert "/healthz" in web_page


def test_no_proxy_is_asked_for_this_machine(web_page, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    embedded.answers()
    assert web_page == ["/healthz"]


def test_its_key_is_no_argument_that_others_can_read(settings):
    settings.MODELSERVER_API_KEY = "sk-local-0123456789"
    assert not any("sk-local" in argument for argument in embedded.command())
    assert embedded.environment()["MODELSERVER_API_KEY"] == "sk-local-0123456789"


def test_it_finds_our_packages_whatever_folder_we_were_started_from(settings, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/somewhere")

    paths = embedded.environment()["PYTHONPATH"].split(os.pathsep)

    assert paths == [str(settings.BASE_DIR), "/somewhere"]
