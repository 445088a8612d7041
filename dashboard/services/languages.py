"""Languages as people name them: a tag such as ru-RU, or the language's own name."""

import re

from django.conf.locale import LANG_INFO

from dashboard.models import DiscordUser
from dashboard.services import people
from dashboard.services.access import Person
from trainerbot.errors import InvalidInput

MAX_CHARACTERS = 35
# BCP 47: language, extended language, script, region, variants. Extensions and private use say
# nothing of a language.
_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(-(?P<script>[a-z]{4}))?(-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<variants>(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE,
)
_TAGS_BY_NAME = {
    str(info[name]).casefold(): tag
    for tag, info in LANG_INFO.items()
    for name in ("name", "name_local")
    if name in info
}


def tag(words: str) -> str:
    """The tag that `words` name, written as it should be: "RU_ru", "Russian" and "русский" too.

    Raises InvalidInput for what is no language.
    """
    said = " ".join(words.split())
    known = _TAGS_BY_NAME.get(said.casefold(), said.replace("_", "-"))
    found = _TAG.fullmatch(known) if len(known) <= MAX_CHARACTERS else None
    if found is None:
        raise InvalidInput(
            "That is no language I know. Give a tag such as `en`, `de-AT` or `ru-RU`, or its name."
        )
    parts = [found["language"].lower()]
    if found["script"]:
        parts.append(found["script"].title())
    if found["region"]:
        parts.append(found["region"].upper())
    return "-".join(parts) + found["variants"].lower()


def name(language_tag: str) -> str:
    """The language in words with its tag behind; only the tag where nobody here knows its name."""
    primary = language_tag.partition("-")[0]
    info = LANG_INFO.get(language_tag.lower()) or LANG_INFO.get(primary)
    return f"{info['name']} (`{language_tag}`)" if info and "name" in info else f"`{language_tag}`"


def choose(person: Person, words: str) -> str:
    """Let the bot answer this person in a language from now on; "" for no wish. The tag of it."""
    chosen = tag(words) if words else ""
    row = people.on_discord(person)
    assert row is not None  # only people on Discord have a language of their own
    DiscordUser.objects.filter(pk=row.pk).update(language=chosen)
    return chosen


def of(discord_user_id: int) -> str:
    """The tag that a person on Discord has chosen, or ""."""
    chosen = DiscordUser.objects.filter(discord_user_id=discord_user_id)
    return chosen.values_list("language", flat=True).first() or ""
