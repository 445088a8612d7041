"""How rows look: icons, badges, durations, the theme. No row is read here."""

import math
from datetime import datetime
from decimal import Decimal

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

THEMES = ("lab", "labdark")

ALERTS = {
    "error": ("alert-error", "error"),
    "warning": ("alert-warning", "warning"),
    "success": ("alert-success", "success"),
    "info": ("alert-info", "info"),
    "debug": ("alert-info", "info"),
}

# Up to how many seconds a span is told in which unit; beyond 60 days, the date.
SPANS = ((60, 1, "s"), (3600, 60, "min"), (86_400, 3600, "h"), (60 * 86_400, 86_400, "d"))

# The words of OpenAI's job states and of our own rows.
BADGES = {
    "queued": "badge-neutral",
    "validating_files": "badge-warning",
    "running": "badge-info",
    "succeeded": "badge-success",
    "failed": "badge-error",
    "cancelled": "badge-neutral",
    "paused": "badge-warning",
    "pausing": "badge-warning",
    "proposed": "badge-warning",
    "approved": "badge-success",
    "rejected": "badge-neutral",
}

# The kinds of training record (trainerbot.formats.rows.Kind).
KINDS = {
    "chat": "conversations",
    "preference": "preferences",
    "unpaired": "judged answers",
    "labelled": "labelled texts",
}


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> SafeString | str:
    """The `data-theme` attribute the reader chose, or nothing: then the system's wish counts."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme") if request else None
    if chosen not in THEMES:
        return ""
    return format_html(' data-theme="{}"', chosen)


@register.simple_tag
def icon(name: str, size: str = "") -> SafeString:
    """One symbol of `icons.svg`, hidden from screen readers: the words beside it speak."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        size,
        static("dashboard/icons.svg"),
        name,
    )


@register.simple_tag
def alert_class(level: str) -> str:
    return ALERTS[level][0]


@register.simple_tag
def alert_icon(level: str) -> SafeString:
    return icon(ALERTS[level][1])


@register.filter
def badge_class(state: str) -> str:
    """The colour of a state; a state of some other provider that we do not know stays grey."""
    return BADGES.get(state, "badge-neutral")


@register.filter
def spaced(state: str) -> str:
    """`validating_files` as a person writes it."""
    return str(state).replace("_", " ")


@register.filter
def kind_name(kind: str) -> str:
    """What the rows of a dataset are, in two words."""
    return KINDS.get(kind, kind)


@register.filter
def short_number(value: float) -> str:
    """1,234,567 as 1.23 M, for tables; small numbers stay whole."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            size = 1e3 if unit == "k" else size
            return f"{value / size:.3g} {unit}"
    return f"{value:,}"


@register.filter
def figure(value: object) -> str:
    """A number that was measured or set, to four digits that count; words as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "\N{EN DASH}" if value in (None, "") else str(value)
    if value == 0 or 0.001 <= abs(value) < 1_000_000:
        told = f"{value:,}" if isinstance(value, int) else f"{value:,.{_decimals(value)}f}"
        return told.rstrip("0").rstrip(".") if "." in told else told
    return f"{value:.3g}"


def _decimals(value: float) -> int:
    """How many decimals show four digits that count: none of 1234.5, four of 0.01234."""
    return max(0, min(5, 3 - math.floor(math.log10(abs(value))))) if value else 0


@register.filter
def dollars(value: Decimal | None) -> str:
    """An amount as people read it: cents, and of less than a cent the first digits that count."""
    if value is None:
        return "\N{EN DASH}"
    if value == 0 or abs(value) >= Decimal("0.01"):
        return f"${value:,.2f}"
    return f"${value:.6f}".rstrip("0")


@register.filter
def binary_size(n_bytes: int) -> str:
    """Bytes in the units that limits are counted in: 1 MiB is 1,048,576 bytes."""
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if n_bytes >= size:
            return f"{f'{n_bytes / size:,.1f}'.removesuffix('.0')} {unit}"
    return "1 byte" if n_bytes == 1 else f"{n_bytes} bytes"


@register.filter
def milliseconds(value: float | None) -> str:
    """A duration given in ms, with the unit that reads best; an en dash for none."""
    if value is None:
        return "\N{EN DASH}"
    if value < 1000:
        return f"{value:.0f} ms"
    if value < 60_000:
        return f"{value / 1000:.2f} s"
    return f"{value / 60_000:.1f} min"


@register.filter
def initials(name: str) -> str:
    """Two letters for the round picture of somebody without one."""
    words = name.replace("_", " ").replace(".", " ").split()
    if len(words) > 1:
        return words[0][0] + words[1][0]
    return name[:2]


@register.filter
def ago(then: datetime | None) -> SafeString:
    """A <time> that page.js keeps counting; without scripts it stays as rendered."""
    if then is None:
        return SafeString("\N{EN DASH}")
    seconds = max(0, int((timezone.now() - then).total_seconds()))
    words = then.date().isoformat()
    for limit, size, unit in SPANS:
        if seconds < limit:
            words = f"{seconds // size} {unit}"
            break
    return format_html(
        '<time class="num" datetime="{}" data-ago>{}</time>', then.isoformat(), words
    )


@register.filter
def percent(share: float | str | None, decimals: int = 1) -> str:
    """0.4567 as "45.7 %"; an en dash for none, which templates also spell as "".

    "100.0 %" are all and "0.0 %" none: what rounds to them is told as the figure next to it.
    """
    if not isinstance(share, int | float):
        return "\N{EN DASH}"
    told, step = round(100 * share, decimals), 10.0**-decimals
    if 0 < share < 1:
        told = min(max(told, step), 100 - step)
    return f"{told:.{decimals}f}\N{NO-BREAK SPACE}%"
