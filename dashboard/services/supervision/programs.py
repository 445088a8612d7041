"""The programs of the running system, as the settings want them."""

import sys
from dataclasses import dataclass

from django.conf import settings

from dashboard.services import embedded, providers
from dashboard.services.supervision.ports import Port
from dashboard.services.supervision.supervisor import Program
from trainerbot.errors import InvalidInput

NAMES = ("web", "worker", "modelserver", "bot")
# What a program ends with when its settings are refused: sysexits' EX_CONFIG.
BAD_SETTINGS = 78
# Pages and replies go first: a model that thinks takes every core it can get.
IN_BACKGROUND = 5
# These write their own rows; of the others only we know that they run.
SELF_REPORTING = frozenset({"worker", "bot"})
# A server of models has no business with them.
SECRETS = ("DISCORD_TOKEN", "OPENAI_API_KEY", "SECRET_KEY", "DATABASE_URL")


@dataclass(frozen=True)
class Selection:
    """What to start, and for each program that is left out, why, in words."""

    programs: list[Program]
    left_out: dict[str, str]

    def names(self) -> set[str]:
        return {program.name for program in self.programs}


def select(*, only: str | None = None, without: str | None = None) -> Selection:
    """Return what to start: what the settings call for, narrowed by two comma lists of names.

    Raises InvalidInput for a name that is none, or when nothing is left.
    """
    asked = _names(only) if only else set(NAMES)
    asked -= _names(without or "")
    left_out = {name: "Left out on the command line." for name in NAMES if name not in asked}
    if "modelserver" in asked and not (providers.uses_embedded_server() or _speaks_here()):
        left_out["modelserver"] = "Not needed: another model endpoint is configured."
    if "bot" in asked and not settings.DISCORD_TOKEN:
        left_out["bot"] = "No DISCORD_TOKEN is set."
    programs = [_program(name) for name in NAMES if name not in left_out]
    if not programs:
        raise InvalidInput("Nothing is left to start. " + " ".join(left_out.values()))
    return Selection(programs, left_out)


def ports(names: set[str]) -> list[Port]:
    """Return the ports that the programs `names` will open."""
    found = []
    if "web" in names:
        found.append(Port("the dashboard", settings.HOST, settings.PORT, "TRAINERBOT_PORT"))
    if "modelserver" in names:
        port = settings.MODELSERVER_PORT
        found.append(Port("the modelserver", "127.0.0.1", port, "MODELSERVER_PORT"))
    return found


def _speaks_here() -> bool:
    """Whether our own model server hears and speaks, also where others chat."""
    return bool(settings.SPEECH) and settings.SPEECH_BASE_URL == settings.MODELSERVER_URL


def _names(listed: str) -> set[str]:
    names = {name.strip() for name in listed.split(",") if name.strip()}
    if unknown := sorted(names - set(NAMES)):
        raise InvalidInput(f"There is no {unknown[0]!r} to start. Choose of {', '.join(NAMES)}.")
    return names


def _program(name: str) -> Program:
    manage = (sys.executable, str(settings.BASE_DIR / "manage.py"))
    if name == "web":
        return Program(name, _web())
    if name == "modelserver":
        environ = {k: v for k, v in embedded.environment().items() if k not in SECRETS}
        return Program(name, tuple(embedded.command()), environ, niceness=IN_BACKGROUND)
    if name == "worker":
        return Program(name, (*manage, "worker"), niceness=IN_BACKGROUND)
    refused = {BAD_SETTINGS: "Not started again: mend what it says above, then restart."}
    # It lets answers in flight finish, but must be done before it would be killed.
    bot = (*manage, "runbot", "--drain-s", "4", "--supervised")
    return Program(name, bot, final_codes=refused)


def _web() -> tuple[str, ...]:
    # One worker: the channel layer lives in its memory (docs/decisions/0003-server.md).
    return (
        sys.executable, "-m", "uvicorn", "trainerbot.asgi:application",
        "--app-dir", str(settings.BASE_DIR),
        "--host", settings.HOST,
        "--port", str(settings.PORT),
        "--no-access-log",
        "--log-level", "warning",
        # Open pages hold their sockets for ever; a stop must not wait for them.
        "--timeout-graceful-shutdown", "2",
    )  # fmt: skip
