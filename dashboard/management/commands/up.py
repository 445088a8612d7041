"""`manage.py up`: the whole system, one process each, until Ctrl-C."""

import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.services import people, preparation
from dashboard.services.supervision import programs
from dashboard.services.supervision.alone import the_only_one
from dashboard.services.supervision.console import Console
from dashboard.services.supervision.orders import Orders
from dashboard.services.supervision.ports import refuse_taken_port, wait_until_open
from dashboard.services.supervision.reporter import Reporter
from dashboard.services.supervision.supervisor import Supervisor
from trainerbot.errors import TrainerBotError

STOP_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
LOOK_EVERY_S = 0.5
INTERRUPTED = 130


class Command(BaseCommand):
    help = (
        "Run web, worker, modelserver (unless another endpoint is set) and bot (with DISCORD_TOKEN) "
        "until Ctrl-C or SIGTERM. A part that ends is started again."
    )

    # Only our own (dashboard/checks.py): the others import every page, which the first one waits for.
    requires_system_checks = ("trainerbot",)

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(programs.NAMES)
        parser.add_argument("--only", metavar="NAMES", help=f"start these alone, of {names}")
        parser.add_argument("--without", metavar="NAMES", help="start all but these: worker,bot")

    def handle(self, *args: Any, only: str | None, without: str | None, **options: Any) -> None:
        console = Console(self.stdout, is_terminal=self.stdout.isatty())
        with contextlib.ExitStack() as hold:
            try:
                selection = programs.select(only=only, without=without)
                for port in programs.ports(selection.names()):
                    refuse_taken_port(port)
                hold.enter_context(the_only_one(selection.names()))
                preparation.prepare(lambda words: console.line("up", words))
            except TrainerBotError as error:
                raise CommandError(str(error)) from error
            except KeyboardInterrupt:
                raise CommandError("Stopped before it began.", returncode=INTERRUPTED) from None
            self._run(console, selection)

    def _run(self, console: Console, selection: programs.Selection) -> None:
        """Start everything, say where it is, and stop it all at the first signal."""
        stop = threading.Event()
        _on_stop_signals(stop.set)
        reporter = Reporter(self_reporting=programs.SELF_REPORTING, left_out=selection.left_out)
        supervisor = Supervisor(selection.programs, report=reporter.put, write_line=console.line)
        orders = Orders(supervisor) if "bot" in selection.names() else None
        if orders:
            orders.start()
        supervisor.start()
        reporter.start()
        for name, why in selection.left_out.items():
            console.line(name, why)
        self._announce(console, selection.names(), stop)
        while not stop.wait(LOOK_EVERY_S) and not supervisor.has_given_up():
            continue
        console.line("up", "Stopping …")
        if orders:
            orders.stop()
        _on_stop_signals(supervisor.kill)  # a second Ctrl-C is an order: no more waiting
        supervisor.stop()
        reporter.close()
        if not stop.is_set():
            raise CommandError("Nothing is left running; the lines above say why.")
        console.line("up", "Stopped.")

    def _announce(self, console: Console, names: set[str], stop: threading.Event) -> None:
        """Say where the dashboard is, once it answers there."""
        if "web" not in names:
            return
        dashboard = programs.ports({"web"})[0]
        if not wait_until_open(dashboard, give_up=stop.wait):
            return
        console.line("up", f"TrainerBot is at {dashboard.url}")
        if path := people.first_admin_path():
            console.line("up", f"Your one-time admin link: {dashboard.url}{path}")
        console.line("up", "Ctrl-C stops everything.")


def _on_stop_signals(act: Callable[[], None]) -> None:
    def handler(number: int, frame: FrameType | None) -> None:
        act()

    for name in STOP_SIGNALS:
        if number := getattr(signal, name, None):
            signal.signal(number, handler)
