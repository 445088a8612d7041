"""The parts of every page that tell how the system is, and where one may go."""

from dataclasses import dataclass

from django import template
from django.http import HttpRequest
from django.urls import reverse

from dashboard.models import ProcessState
from dashboard.services import processes
from dashboard.services.bot import is_of_bot

register = template.Library()

State = ProcessState.State
LABELS = {"web": "Web", "worker": "Worker", "modelserver": "Model server", "bot": "Bot"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the navigation; pages whose names start with `section` belong to it."""

    icon: str
    label: str
    section: str
    target: str
    permission: str


ENTRIES = (
    Entry("overview", "Overview", "overview", "overview", "view"),
    Entry("playground", "Playground", "playground", "playground", "chat"),
    Entry("conversations", "Conversations", "conversation", "conversation-list", "chat"),
    Entry("call", "Calls", "call", "call-list", "view"),
    Entry("corrections", "Corrections", "correction", "correction-list", "propose"),
    Entry("datasets", "Datasets", "dataset", "dataset-list", "view"),
    Entry("finetuning", "Fine-tuning", "job", "job-list", "view"),
    Entry("chart", "Tests", "run|suite|evaluation", "run-list", "view"),
    Entry("models", "Models", "model", "model-list", "view"),
    Entry("release", "Releases", "release", "release-list", "view"),
    Entry("bot", "Bot", "bot", "bot", "view"),
    Entry("servers", "Servers", "server", "server-list", "settings"),
    Entry("settings", "Settings", "settings", "settings", "settings"),
)


@register.inclusion_tag("dashboard/_navigation.html", takes_context=True)
def navigation(context: template.Context) -> dict[str, object]:
    """The entries that the reader may open, the current one marked."""
    request: HttpRequest = context["request"]
    door = getattr(request, "door", None)
    may = door.may if door else {}
    here = (request.resolver_match.url_name if request.resolver_match else None) or ""
    return {
        "entries": [
            {"entry": entry, "href": reverse(entry.target), "active": _is_in(here, entry.section)}
            for entry in ENTRIES
            if may.get(entry.permission)
        ]
    }


@register.inclusion_tag("dashboard/overview/_state.html")
def system_state() -> dict[str, object]:
    return state_context()


def state_context() -> dict[str, object]:
    """The worst news about the parts that should run, in two or three words."""
    parts = [row for row in processes.everything() if row.state != State.DISABLED]
    if any(row.name.startswith("bot:") and row.is_alive for row in parts):
        parts = [row for row in parts if row.name != "bot"]  # it runs in ranges of shards
    words, color = _summary(parts)
    bot = next((row for row in parts if is_of_bot(row.name) and row.is_alive), None)
    return {
        "words": words,
        "color": color,
        "latency_ms": bot.detail.get("latency_ms") if bot else None,
    }


@register.filter
def part_label(name: str) -> str:
    part, _, shards = name.partition(":")
    label = LABELS.get(part, part.capitalize())
    return f"{label}, shards {shards}" if shards else label


@register.filter
def part_class(row: ProcessState) -> str:
    """The colour of one part's state."""
    if row.is_alive:
        return "badge-success"
    if row.state in (State.RUNNING, State.STARTING, State.BACKOFF):
        return "badge-warning"
    return "badge-error" if row.state == State.FAILED else "badge-neutral"


def _summary(parts: list[ProcessState]) -> tuple[str, str]:
    if not parts:
        return "Not running", "neutral"
    for state, words, color in (
        (State.FAILED, "failed", "error"),
        (State.BACKOFF, "restarting", "warning"),
        (State.STARTING, "starting", "warning"),
        (State.STOPPED, "stopped", "neutral"),
    ):
        for row in parts:
            if row.state == state:
                return f"{part_label(row.name)} {words}", color
    for row in parts:
        if not row.is_alive:
            return f"{part_label(row.name)} is silent", "warning"
    online = any(is_of_bot(row.name) for row in parts)
    return ("Bot online" if online else "All running"), "success"


def _is_in(name: str, sections: str) -> bool:
    return name.partition("-")[0] in sections.split("|")
