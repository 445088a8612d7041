"""The lines of many programs in one terminal."""

import io
import os

import pytest

from dashboard.services.supervision.console import Console


def test_each_line_carries_its_programs_name():
    output = io.StringIO()

    Console(output, is_terminal=False).line("web", "ready")

    assert output.getvalue() == "web         | ready\n"


def test_what_the_terminal_cannot_show_is_replaced():
    output = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    Console(output, is_terminal=False).line("web", "ready →")

    output.seek(0)
    assert output.read() == "web         | ready ?\n"


def test_nobody_reading_any_more_does_not_stop_a_program():
    reading, writing = os.pipe()
    os.close(reading)
    output = os.fdopen(writing, "w", encoding="utf-8")

    Console(output, is_terminal=False).line("web", "ready")

    with pytest.raises(BrokenPipeError):
        output.close()


def test_colours_are_for_terminals(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    output = io.StringIO()

    Console(output, is_terminal=True).line("web", "ready")

    assert output.getvalue() == "\x1b[36mweb         |\x1b[0m ready\n"


def test_no_color_is_heeded(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    output = io.StringIO()

    Console(output, is_terminal=True).line("web", "ready")

    assert "\x1b" not in output.getvalue()
