"""How late the loop is, and what made it so."""

import asyncio
import gc
import subprocess
import sys
import time
from pathlib import Path

import pytest

from botrunner.process import lag
from botrunner.process.figures import figures
from botrunner.process.lag import LoopLag
from botrunner.process.life import warm_up
from botrunner.rest import Patience

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def watch(monkeypatch):
    monkeypatch.setattr(lag, "ROOT", str(ROOT))
    watch = LoopLag()
    watch.start()
    yield watch
    watch.stop()


def block_the_loop(seconds: float) -> None:
    time.sleep(seconds)


async def test_a_loop_that_is_free_is_seldom_late(watch):
    await asyncio.sleep(0.5)

    figures = watch.figures()
    assert 0 <= figures["lag_p99_ms"] <= figures["lag_max_ms"]
    assert len(figures["lag_minutes_ms"]) == 1


async def test_what_blocks_the_loop_is_measured_and_named_once_a_minute(watch, caplog):
    for _ in range(2):
        block_the_loop(0.5)
        await asyncio.sleep(0.3)

    assert watch.figures()["lag_max_ms"] >= 200
    warnings = [r.getMessage() for r in caplog.records if "stuck" in r.getMessage()]
    assert len(warnings) == 1
    assert "block_the_loop" in warnings[0]


async def test_who_works_elsewhere_is_not_said_to_hold_the_loop_up(watch, caplog):
    await asyncio.to_thread(block_the_loop, 0.5)

    assert "block_the_loop" not in caplog.text


@pytest.mark.origin(1)
def test_importing_the_bot_makes_no_connection():
    program = (
        "import socket, sys\n"
        "def refuse(*args): raise AssertionError('the network was asked')\n"
        "socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse\n"
        "import django; django.setup()\n"
        "from django.core.management import load_command_class\n"
        "load_command_class('botrunner', 'runbot')\n"
        "from botrunner.bot import EXTENSIONS, TrainerBot\n"
        "import importlib; [importlib.import_module(each) for each in EXTENSIONS]\n"
        "TrainerBot()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr


@pytest.mark.django_db(transaction=True)
async def test_a_latency_counted_from_the_heartbeat_before_is_not_shown(connected_bot, watch):
    keep_alive = connected_bot.ws._keep_alive
    keep_alive.interval = 41.25

    keep_alive.latency = 41.26
    false = figures(connected_bot, Patience(), watch, started=0.0)
    keep_alive.latency = 0.042
    true = figures(connected_bot, Patience(), watch, started=0.0)

    assert (false["latency_ms"], true["latency_ms"]) == (None, 42)


@pytest.mark.django_db(transaction=True)
async def test_what_is_loaded_before_the_first_message_is_not_looked_through_again():
    thresholds = gc.get_threshold()
    try:
        await warm_up()
        assert len(gc.get_objects()) < gc.get_freeze_count()
        assert "numpy" in sys.modules
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
