"""How speech looks on a page: languages, stages of an answer."""

from django import template

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
def stages(stages_ms: dict[str, int]) -> list[tuple[str, int]]:
    """The stages of an answer in the order in which they came, in words."""
    told = [
        (STAGES.get(name, name.replace("_", " ")), ms)
        for name, ms in stages_ms.items()
        if isinstance(ms, int | float)
    ]
    return sorted(told, key=lambda each: each[1])
