"""How the bot's page shows figures and errands."""

from django import template

from dashboard.models import Task
from dashboard.services.bot import Condition

register = template.Library()

# Written out, because the stylesheet is made from the words that stand in the sources.
BADGES = {
    "success": "badge-success",
    "warning": "badge-warning",
    "error": "badge-error",
    "neutral": "badge-neutral",
}
DOTS = {
    "success": "status-success",
    "warning": "status-warning",
    "error": "status-error",
    "neutral": "status-neutral",
}
WORDS = {
    Task.State.READY: "waiting for the bot",
    Task.State.RUNNING: "sending",
    Task.State.SUCCEEDED: "sent",
    Task.State.FAILED: "not sent",
    Task.State.CANCELLED: "cancelled",
}


@register.inclusion_tag("dashboard/bot/_tile.html")
def tile(label: str, value: object, note: str) -> dict[str, object]:
    """One figure with what it counts."""
    return {"label": label, "value": value, "note": note}


@register.filter
def soft_badge(color: str) -> str:
    return BADGES[color]


@register.filter
def status_dot(color: str) -> str:
    return DOTS[color]


@register.filter
def lag_note(condition: Condition) -> str:
    """The worst of the last minute, beside its 99th percentile."""
    return f"p99 of a minute; at most {condition.lag_max_ms:.0f} ms"


@register.filter
def errand_word(task: Task) -> str:
    """Where an errand of the bot stands, in words."""
    return WORDS[Task.State(task.state)]
