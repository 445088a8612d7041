"""API keys, tokens, private key blocks and passwords."""

import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from trainerbot.curation.private.findings import Finding, PrivateKind

MIN_LETTERS: Final = 16
"""No key of the forms below is shorter. AWS's are the shortest, at 20."""

MIN_SECRET: Final = 6
"""A shorter value is a word of the sentence more often than a password."""

# Forms as their makers document them. Each begins with what only such keys do.
_FORMS: Final = (
    r"sk-(?:proj|svcacct|admin|ant|or)-[\w-]{20,220}",  # OpenAI, Anthropic, OpenRouter
    r"sk-[A-Za-z0-9]{20,64}",  # OpenAI before 2024, and those who copied it
    r"gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_\w{60,120}",
    r"gl(?:pat|dt|ft|rt|oas|ptt|agent)-[\w-]{20,64}",  # GitLab
    r"xox[abeoprs]-[A-Za-z0-9-]{10,250}|xapp-\d-[A-Za-z0-9-]{20,250}",  # Slack
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",  # AWS
    r"AIza[\w-]{35}|ya29\.[\w-]{20,500}|GOCSPX-[\w-]{28}",  # Google
    r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}|whsec_[A-Za-z0-9]{24,64}",  # Stripe
    r"SG\.[\w-]{22}\.[\w-]{43}",  # SendGrid
    r"hf_[A-Za-z0-9]{30,40}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,500}",
    r"(?:gsk|xai)[_-][A-Za-z0-9]{40,90}",  # Groq, xAI
    r"dop_v1_[a-f0-9]{64}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # DigitalOcean, Shopify
    r"\d{8,10}:AA[\w-]{33}",  # Telegram
    r"[MNO][A-Za-z\d_-]{23,27}\.[A-Za-z\d_-]{6}\.[A-Za-z\d_-]{27,40}|mfa\.[\w-]{84}",  # Discord
)
_KEY: Final = re.compile(rf"(?<![\w-])(?:{'|'.join(_FORMS)})(?![\w-])")

_LONG: Final = re.compile(rf"\S{{{MIN_LETTERS},}}")

_WEBHOOK: Final = re.compile(
    r"https://(?:hooks\.slack\.com/services/|(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/)"
    r"[\w/-]{20,200}"
)
_JWT: Final = re.compile(r"(?<![\w-])eyJ[\w-]{5,2000}\.eyJ[\w-]{2,8000}\.[\w-]{0,2000}")

_BLOCK: Final = re.compile(
    r"-----BEGIN (?P<name>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----"
    r"(?:.{0,8000}?-----END (?P=name)-----|[A-Za-z0-9+/=\s\\]{0,8000})",
    re.DOTALL,
)

# What the name of a secret contains. Looked for one by one in the lowered text,
# which is ten times as fast as a pattern that ignores case.
SECRET_NAMES: Final = (
    "pass", "pwd", "secret", "token", "key", "credential", "bearer",
    "парол", "секрет", "токен", "ключ", "кодовое слово",
)  # fmt: skip

# From a name on: its end, perhaps a quote, what assigns, and a value.
_ASSIGNED: Final = re.compile(
    r"(?P<name>pass(?:word|wd|phrase|code)?|pwd|secret|token|key|credentials?|bearer|"
    r"пароль|пароля|секрет|секретный ключ|токен|ключ|кодовое слово)s?"
    r"(?:[ _-](?:api|key|token|value|string|доступа|апи|бота|от [\w-]{1,20}|для [\w-]{1,20}))?"
    r"(?P<close>[\"'`]?)"
    r"(?P<assigns>\s?(?::=|=>|==?|:)\s?|\s(?:is|это|–|—|-)\s(?::\s?)?|(?<=bearer)\s)"
    r"(?P<quote>[\"'`«“]?)(?P<value>[^\s\"'`«»“”<>,;(){}\[\]]{6,256})(?P<after>[(\[{]?)",
    re.IGNORECASE,
)

# A key opens doors, sorts tables and plays music; these say which.
_OPENS: Final = re.compile(
    r"(?:api|access|auth|private|secret|client|encryption|account|license|апи|api-)[ _-]?",
    re.IGNORECASE,
)
_OPENS_LETTERS: Final = 12

# What stands in documents where a reader is to put a secret of their own.
_PLACEHOLDER: Final = re.compile(
    r"(?:your|my|the|some|insert|enter|change|replace|example|sample|dummy|test|fake|todo|"
    r"none|null|true|false|undefined|required|optional|hidden|redacted|placeholder|"
    r"os\.|process\.|env\.|self\.|config\.|settings\.|request\.|\$|%|@|/|\.\.|"
    r"ваш|мой|введите|пример)|.*(?:_here|-here|example|xxx|\*\*|\.\.\.|…)",
    re.IGNORECASE,
)


def keys(text: str) -> Iterator[Finding]:
    """Yield the keys and tokens that can be told by their form."""
    for long in _LONG.finditer(text):
        for match in _KEY.finditer(text, *long.span()):
            if _is_random(match.group()):
                yield Finding(PrivateKind.KEY, *match.span())
    if "hooks" in text:
        for match in _WEBHOOK.finditer(text):
            yield Finding(PrivateKind.KEY, *match.span())
    if "eyJ" in text:
        for match in _JWT.finditer(text):
            if _is_token(match.group()):
                yield Finding(PrivateKind.KEY, *match.span())
    if "PRIVATE KEY" in text:
        for match in _BLOCK.finditer(text):
            yield Finding(PrivateKind.KEY, *match.span())


def passwords(text: str) -> Iterator[Finding]:
    """Yield the values that a text says are a password, a secret or a token."""
    folded = text.lower()
    if len(folded) != len(text):
        # Few letters (İ) grow when lowered; places would no longer be the same.
        folded = text
    seen = 0
    for at in sorted(_places(folded)):
        match = _ASSIGNED.match(text, at)
        if match is None or match.start("value") < seen or not _is_meant(text, match):
            continue
        value = match["value"].rstrip(".:!?")
        # `token = next(tokens)` is a program.
        if match["after"] or len(value) < MIN_SECRET or not _is_secret(value, match):
            continue
        start = match.start("value")
        seen = start + len(value)
        yield Finding(PrivateKind.PASSWORD, start, seen)


def _places(folded: str) -> Iterator[int]:
    for name in SECRET_NAMES:
        at = folded.find(name)
        while at >= 0:
            yield at
            at = folded.find(name, at + 1)


def _is_meant(text: str, match: re.Match[str]) -> bool:
    """Say whether a name stands for a secret: not the key of a table, not a boarding pass."""
    name, start = match["name"].lower(), match.start()
    before = text[max(0, start - _OPENS_LETTERS) : start]
    if name in ("key", "ключ"):
        told = match[0][: match.start("assigns") - start].lower()
        return bool(_OPENS.search(before)) or "api" in told or "доступа" in told or "апи" in told
    # "compass", "boarding pass: "; but DB_PASS and "pass: ".
    is_part = before[-1:].isalpha() or (before[-1:] == " " and before[-2:-1].isalpha())
    return not (name == "pass" and is_part)


def _is_secret(value: str, match: re.Match[str]) -> bool:
    if _PLACEHOLDER.match(value) or len(set(value)) < 4:
        return False
    is_quoted = bool(match["quote"])
    is_word = value.replace("_", "").replace("-", "").replace(".", "").isalpha()
    if is_word:
        # Prose says "the password: required"; a quoted value of an assignment is meant.
        return is_quoted and match["assigns"].strip() in ("=", ":=") and not match["close"]
    if "://" in value:
        return False
    has_digit = any(character.isdigit() for character in value)
    if value.isdigit():
        return match["name"].lower().startswith(("pass", "pwd", "парол"))
    return has_digit or any(character in "!@#$%^&*+=~" for character in value)


def _is_random(key: str) -> bool:
    """Say whether a key is no placeholder such as sk-xxxxxxxx: 2.5 bits a letter or more."""
    told = key.casefold()
    counts = Counter(told)
    entropy = -sum(n / len(told) * math.log2(n / len(told)) for n in counts.values())
    return entropy >= 2.5 and "xxxx" not in told and "your" not in told


def _is_token(jwt: str) -> bool:
    """Say whether the first part is the header of a JSON Web Token (RFC 7519)."""
    head = jwt.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(header, dict)
