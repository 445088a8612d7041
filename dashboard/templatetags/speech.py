"""How speech looks on a page: languages, stages of an answer."""

from dataclasses import dataclass

from django import template

from dashboard.models import VoiceCall
from dashboard.services import voices

register = template.Library()

# Those that the free providers know; the one in force is offered in any case.
LANGUAGES = (
    ("ar-SA", "العربية"),
    ("zh-CN", "中文"),
    ("cs-CZ", "Čeština"),
    ("de-DE", "Deutsch"),
    ("en-GB", "English (UK)"),
    ("en-US", "English (US)"),
    ("es-ES", "Español"),
    ("fr-FR", "Français"),
    ("hi-IN", "हिन्दी"),
    ("it-IT", "Italiano"),
    ("ja-JP", "日本語"),
    ("ko-KR", "한국어"),
    ("nl-NL", "Nederlands"),
    ("pl-PL", "Polski"),
    ("pt-BR", "Português"),
    ("ru-RU", "Русский"),
    ("tr-TR", "Türkçe"),
    ("uk-UA", "Українська"),
)
STATES: dict[str, str] = {
    VoiceCall.State.JOINING: "badge-warning",
    VoiceCall.State.CONNECTED: "badge-success",
    VoiceCall.State.RECONNECTING: "badge-warning",
    VoiceCall.State.ENDED: "badge-neutral",
}
# Quick answers look quick beside slow ones: a line is never shorter than this.
SHORTEST_LINE_MS = 2000.0
COLOURS = ("fill-primary", "fill-primary/60", "fill-primary/35", "fill-primary/20")
STAGES = {
    "heard": "understood",
    "first_word": "first word",
    "first_sound": "first sound",
    "done": "all said",
}


@register.filter
def spoken_languages(current: str) -> list[tuple[str, str]]:
    """What a page offers to speak, with the language in force among it."""
    known = dict(LANGUAGES)
    return list(LANGUAGES) if current in known else [(current, current), *LANGUAGES]


@register.filter
def provider_name(name: str) -> str:
    """What one who hears or speaks is called."""
    return voices.label(name)


@register.filter
def call_class(state: str) -> str:
    """The colour of a call's state."""
    return STATES.get(state, "badge-neutral")


@register.filter
def stay(call: VoiceCall) -> str:
    """How long a call that has ended lasted."""
    if call.ended_at is None:
        return ""
    seconds = max(0, int((call.ended_at - call.started_at).total_seconds()))
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"


@dataclass(frozen=True, slots=True)
class Part:
    """One stage of an answer: from the stage before it to `ms` after the end of speech.

    x, width: of its stretch on a line of 1,000.
    """

    label: str
    ms: float
    x: int
    width: int
    colour: str


@register.inclusion_tag("dashboard/calls/_stages.html")
def stage_line(stages_ms: dict[str, float]) -> dict[str, object]:
    """The stages in the order in which they came, as a line and in words."""
    told = sorted(
        ((name, ms) for name, ms in stages_ms.items() if isinstance(ms, int | float)),
        key=lambda each: each[1],
    )
    whole = max([SHORTEST_LINE_MS, *(ms for _, ms in told)])
    parts, begin = [], 0
    for at, (name, ms) in enumerate(told):
        end = max(begin, round(1000 * ms / whole))
        label = STAGES.get(name, name.replace("_", " "))
        parts.append(Part(label, ms, begin, end - begin, COLOURS[at % len(COLOURS)]))
        begin = end
    return {"parts": parts}
