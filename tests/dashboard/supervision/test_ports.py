"""A port that is taken is said in words, before anything starts."""

import http.server
import socket
import threading
from collections.abc import Iterator

import pytest

from dashboard.services.supervision.ports import Port, refuse_taken_port, wait_until_open
from trainerbot.errors import Conflict, InvalidInput


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def port_of(listener: socket.socket) -> Port:
    return Port("the dashboard", "127.0.0.1", listener.getsockname()[1], "TRAINERBOT_PORT")


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<title>Sign in - TrainerBot</title>")

    def log_message(self, *args: object) -> None:
        """Say nothing: the test's output is for failures."""


def test_a_free_port_is_not_refused(listener):
    port = port_of(listener)
    listener.close()

    refuse_taken_port(port)


def test_a_port_of_another_program_is_refused_with_the_setting_to_change(listener):
    # It takes the connection and says something that is no HTTP.
    threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()

    with pytest.raises(Conflict, match=r"taken by another program.*TRAINERBOT_PORT=\d+"):
        refuse_taken_port(port_of(listener))


def test_a_port_of_another_trainerbot_is_called_so():
    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = Port("the dashboard", "127.0.0.1", server.server_port, "TRAINERBOT_PORT")
        try:
            with pytest.raises(Conflict, match="TrainerBot already runs at http"):
                refuse_taken_port(port)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("host", "number"), [("192.0.2.1", 8000), ("127.0.0.1", 99999)])
def test_an_address_that_cannot_be_is_refused(host, number):
    with pytest.raises(InvalidInput, match="cannot be at"):
        refuse_taken_port(Port("the dashboard", host, number, "TRAINERBOT_PORT"))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("bot.example", "http://bot.example:8000"),
    ],
)
def test_the_address_told_is_one_that_a_browser_can_open(host, url):
    assert Port("the dashboard", host, 8000, "TRAINERBOT_PORT").url == url


def test_waiting_ends_when_somebody_answers(listener):
    assert wait_until_open(port_of(listener), give_up=lambda pause_s: pytest.fail("It waited."))


def test_waiting_ends_when_it_is_given_up(listener):
    port = port_of(listener)
    listener.close()

    assert not wait_until_open(port, give_up=lambda pause_s: True)
