"""How the words of training rows look: private places marked, changes told in text too."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from trainerbot.curation import Change, Difference, find_private

register = template.Library()


@register.filter
def private_marked(text: str) -> SafeString:
    """`text`, each place that looks private marked and named."""
    pieces: list[SafeString] = []
    at = 0
    for finding in sorted(find_private(text), key=lambda each: each.start):
        if finding.start < at:
            continue
        pieces.append(format_html("{}", text[at : finding.start]))
        pieces.append(
            format_html(
                '<mark class="rounded-xs bg-warning/25 text-inherit" title="{}">{}</mark>',
                finding.kind,
                text[finding.start : finding.end],
            )
        )
        at = finding.end
    pieces.append(format_html("{}", text[at:]))
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.filter
def changed_words(pieces: Iterable[Difference]) -> SafeString:
    """Words that went are struck out after a minus, those that came are underlined after a plus.

    So nobody needs to see the colours.
    """
    return format_html_join("", "{}", ((_piece(each),) for each in pieces))


@register.filter
def told(value: Any) -> str:
    """A setting of a version as words: {"train": 0.9} as "train: 0.9"."""
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {told(each)}" for name, each in value.items()) or "\N{EN DASH}"
    return str(value) if value not in (None, "") else "\N{EN DASH}"


def _piece(piece: Difference) -> SafeString:
    match piece.change:
        case Change.REMOVED:
            return format_html(
                '<del class="rounded-xs bg-error/15 decoration-error/60">'
                '<span class="text-error select-none" aria-label="removed">\N{MINUS SIGN}</span>{}</del>',
                piece.text,
            )
        case Change.ADDED:
            return format_html(
                '<ins class="rounded-xs bg-success/15 decoration-success/60">'
                '<span class="text-success select-none" aria-label="added">+</span>{}</ins>',
                piece.text,
            )
        case _:
            return format_html("{}", piece.text)
