"""How answers look: what was changed in them, and how they came about."""

import difflib
import re

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

# Comparing costs the product of both lengths: 2,000 words take 0.1 s.
MAX_COMPARED_WORDS = 2000
# Answers that share fewer of their words are two answers; marking every word would only glare.
MIN_SHARED = 0.25

SOURCES = {"discord": "badge-info", "playground": "badge-primary", "api": "badge-neutral"}


@register.filter
def without(old: str, new: str) -> SafeString:
    """`old`, the words that `new` drops marked as deleted."""
    return _marked(old, new, "del", "bg-error/15 decoration-error/60")


@register.filter
def gained(new: str, old: str) -> SafeString:
    """`new`, the words that `old` lacked marked as inserted."""
    return _marked(new, old, "ins", "bg-success/15 no-underline")


@register.filter
def source_class(source: str) -> str:
    return SOURCES.get(source, "badge-neutral")


@register.filter
def told_by(fingerprint: str) -> str:
    """What a tuned model's system_fingerprint says about an answer, for people; "" if unknown."""
    kind, _, rest = fingerprint.removeprefix("knn:").partition(":")
    if not fingerprint.startswith("knn:"):
        return ""
    match kind:
        case "verbatim":
            return f"Word for word from line {rest} of what this model was tuned on."
        case "few-shot":
            lines = rest.replace(",", ", ")
            return f"Written after reading lines {lines} of what this model was tuned on."
        case "base":
            return "Nothing that this model was tuned on was near; its base model answered."
        case _:
            return ""


def _marked(text: str, other: str, tag: str, classes: str) -> SafeString:
    words, others = _words(text), _words(other)
    if not other or len(words) + len(others) > MAX_COMPARED_WORDS:
        return format_html("{}", text)
    matcher = difflib.SequenceMatcher(None, words, others, autojunk=False)
    kept = sum(
        words[start].isalnum()
        for block in matcher.get_matching_blocks()
        for start in range(block.a, block.a + block.size)
    )
    if kept < MIN_SHARED * sum(word.isalnum() for word in words):
        return format_html("{}", text)
    pieces = [
        ("".join(words[start:end]), kind == "equal")
        for kind, start, end, _, _ in matcher.get_opcodes()
        if end > start
    ]
    marked = (
        format_html("{}", piece)
        if same
        else format_html('<{} class="rounded-xs {}">{}</{}>', tag, classes, piece, tag)
        for piece, same in pieces
    )
    return format_html_join("", "{}", ((piece,) for piece in marked))


def _words(text: str) -> list[str]:
    """Words and what stands between them; joined again they are `text`."""
    return re.findall(r"\w+|\s+|[^\w\s]", text)
