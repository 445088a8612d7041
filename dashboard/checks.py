"""Settings that contradict each other fail at start, with a hint."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from dashboard.services import providers, routing
from trainerbot.errors import InvalidInput

TAG = "trainerbot"
OWN_MACHINE = {"localhost", "127.0.0.1", "[::1]"}


@register(TAG)
def ports_differ(**kwargs: Any) -> list[CheckMessage]:
    if settings.PORT != settings.MODELSERVER_PORT:
        return []
    return [
        Error(
            f"Dashboard and model server are both to listen on port {settings.PORT}.",
            hint="Give TRAINERBOT_PORT and MODELSERVER_PORT different numbers.",
            id="trainerbot.E001",
        )
    ]


@register(TAG)
def embeddings_are_known(**kwargs: Any) -> list[CheckMessage]:
    if settings.RECALL_EMBEDDINGS in ("", "words"):
        return []
    return [
        Error(
            "RECALL_EMBEDDINGS names no way to compare questions.",
            hint='Write "words", or leave it empty to compare them as Settings says.',
            id="trainerbot.E004",
        )
    ]


@register(TAG)
def endpoint_is_an_address(**kwargs: Any) -> list[CheckMessage]:
    url = urlsplit(settings.OPENAI_BASE_URL)
    if not settings.OPENAI_BASE_URL or (url.scheme in ("http", "https") and url.hostname):
        return []
    return [
        Error(
            "OPENAI_BASE_URL is not an address.",
            hint="Write it with its scheme, such as http://127.0.0.1:11434/v1.",
            id="trainerbot.E002",
        )
    ]


@register(TAG)
def more_endpoints_can_be_read(**kwargs: Any) -> list[CheckMessage]:
    try:
        providers.more_endpoints()
    except InvalidInput as error:
        return [Error(str(error), hint="Correct MORE_ENDPOINTS.", id="trainerbot.E005")]
    return []


@register(TAG)
def chat_model_is_a_model(**kwargs: Any) -> list[CheckMessage]:
    if not routing.name_in(settings.CHAT_MODEL):
        return []
    return [
        Error(
            f"CHAT_MODEL names no model: {settings.CHAT_MODEL} is a name for one.",
            hint="Unset CHAT_MODEL, and choose the name as the model in Settings.",
            id="trainerbot.E006",
        )
    ]


@register(TAG)
def others_are_let_in_by_name(**kwargs: Any) -> list[CheckMessage]:
    """A dashboard that listens for others, but answers to this machine's names alone."""
    if _is_loopback(settings.HOST) or set(settings.ALLOWED_HOSTS) - OWN_MACHINE:
        return []
    return [
        Warning(
            f"The dashboard listens on {settings.HOST}, but answers only to {OWN_MACHINE_WORDS}.",
            hint="Set ALLOWED_HOSTS to the name that people type.",
            id="trainerbot.W001",
        )
    ]


@register(TAG)
def nobody_else_sees_stacks(**kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG or _is_loopback(settings.HOST):
        return []
    return [
        Error(
            f"DEBUG shows code and settings to everybody who reaches {settings.HOST}.",
            hint="Unset DEBUG, or listen on 127.0.0.1.",
            id="trainerbot.E003",
        )
    ]


OWN_MACHINE_WORDS = ", ".join(sorted(OWN_MACHINE))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
