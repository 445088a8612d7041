"""Proofs as pictures that one can post: what is on them, and how they are drawn.

Takes tenths of a second, so from async code only on a thread.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from django.contrib.auth.models import User
from django.utils.timezone import localtime

from dashboard.services import verdicts
from dashboard.services.proofs.naming import for_all
from dashboard.services.proofs.of_corrections import Proof
from dashboard.services.proofs.of_models import ModelProof, Share
from trainerbot.pictures import Canvas, Style, cut, wrap

WIDTH, HEIGHT = 1200, 630  # what places that show a posted picture crop least
KEPT: Final = 16  # pictures that stay drawn, in memory alone
EDGE: Final = 56
INNER: Final = WIDTH - 2 * EDGE
HIDDEN_QUESTION: Final = "The question is not shown."
HIDDEN_ANSWER: Final = "Not shown."
CONFIDENCE: Final = "The thin lines: where it would be found 95 times of 100."


@dataclass(frozen=True, slots=True)
class Look:
    """What the viewer chose: who taught it, the words of question and answers, the colours."""

    names: bool = False
    words: bool = True
    dark: bool = False


@dataclass(frozen=True, slots=True)
class Theme:
    page: str
    panel: str
    line: str
    ink: str
    muted: str
    primary: str
    good: str
    bad: str


LIGHT: Final = Theme(
    "#f6f7fa", "#ffffff", "#e5e8ed", "#1d2433", "#5d6475", "#4f4cda", "#00713e", "#ba1d27"
)
DARK: Final = Theme(
    "#0d1019", "#141821", "#262b37", "#e1e5ed", "#9aa1b1", "#8792ff", "#59c886", "#f66d67"
)
TITLE, LABEL, SMALL = Style(50, bold=True), Style(22), Style(20)
QUESTION, ANSWER, FACT = Style(30, bold=True), Style(25), Style(26, bold=True)


@dataclass(frozen=True, slots=True)
class _Correction:
    """All that a picture of a correction shows: equal ones are the same picture."""

    number: int
    headline: str
    question: str
    before: str
    after: str
    old_model: str
    has_old_answer: bool
    facts: tuple[tuple[str, str], ...]
    dark: bool


@dataclass(frozen=True, slots=True)
class _Model:
    model: str
    base_model: str
    headline: str
    sentence: str
    before: Share | None
    after: Share | None
    facts: tuple[tuple[str, str], ...]
    dark: bool


def look_for(proof: Proof, viewer: User | None, *, dark: bool = False) -> Look:
    """How a picture looks at first: one's own name, and words that are nobody else's question."""
    is_own = viewer is not None and proof.teacher == viewer.pk
    return Look(names=is_own, words=not proof.was_asked_by_others, dark=dark)


def correction(proof: Proof, look: Look) -> bytes:
    """The PNG of a correction, WIDTH x HEIGHT pixels."""
    return _drawn_correction(_of_correction(proof, look))


def model(proof: ModelProof, *, dark: bool = False) -> bytes:
    """The PNG of a model, WIDTH x HEIGHT pixels."""
    return _drawn_model(_of_model(proof, dark))


def address(proof: Proof | ModelProof, look: Look) -> str:
    """What tells one picture from another, in 32 characters; nothing is drawn for it."""
    shown = _of_correction(proof, look) if isinstance(proof, Proof) else _of_model(proof, look.dark)
    return hashlib.sha256(repr(shown).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _of_correction(proof: Proof, look: Look) -> _Correction:
    # Words of who is gone are on no picture, whatever the viewer chose.
    asked = look.words and not proof.asker_is_gone
    answered = look.words and not proof.teacher_is_gone
    is_all_theirs = proof.teacher_is_gone and not proof.old_answer
    taught = _day(proof.taught_at)
    if look.names and proof.taught_by and not proof.teacher_is_gone:
        taught += f", by {proof.taught_by}"
    return _Correction(
        number=proof.number,
        headline=proof.headline,
        question=proof.question if asked and not is_all_theirs else "",
        before=proof.old_answer if asked else "",
        after=proof.new_answer if answered else "",
        old_model=proof.old_model,
        has_old_answer=bool(proof.old_answer),
        facts=(
            ("Taught", taught),
            ("Given as the answer", _times(proof.n_fired)),
            ("Last given", _day(proof.last_fired_at)),
            ("Where it lives", proof.lives_in),
        ),
        dark=look.dark,
    )


def _of_model(proof: ModelProof, dark: bool) -> _Model:
    test, job = proof.test, proof.job
    return _Model(
        model=proof.model,
        base_model=proof.base_model,
        headline=proof.headline,
        # Whoever sees a posted picture need not know of the servers that are here.
        sentence=verdicts.shown_to(proof.verdict, None)[0] if proof.verdict else "",
        before=test.before if test else None,
        after=test.after if test else None,
        facts=(
            ("Made", _day(proof.made_at)),
            ("Trained by", job.method if job else "not here"),
            ("Corrections in it", "not known" if proof.n_taught is None else f"{proof.n_taught:,}"),
            ("Answers as", for_all(proof.names) or "nobody yet"),
        ),
        dark=dark,
    )  # fmt: skip


@lru_cache(maxsize=KEPT)
def _drawn_correction(shown: _Correction) -> bytes:
    theme = DARK if shown.dark else LIGHT
    canvas = _begun(theme, f"Proof card, correction #{shown.number}")
    canvas.text(EDGE, 158, cut(shown.headline, TITLE, INNER), TITLE, theme.ink)
    lines = wrap(shown.question or HIDDEN_QUESTION, QUESTION, INNER, n_lines=2)
    canvas.paragraph(
        EDGE, 216, lines, QUESTION, theme.ink if shown.question else theme.muted, width=INNER
    )
    half = (INNER - 24) // 2
    before = "Before" + (f": {shown.old_model}" if shown.old_model else "")
    old = shown.before or (HIDDEN_ANSWER if shown.has_old_answer else "Taught directly: no answer.")
    _answer(canvas, theme, EDGE, half, before, old, theme.bad, is_dim=not shown.before)
    new = shown.after or HIDDEN_ANSWER
    right = EDGE + half + 24
    _answer(canvas, theme, right, half, "Taught", new, theme.good, is_dim=not shown.after)
    _facts(canvas, theme, shown.facts)
    return canvas.png()


@lru_cache(maxsize=KEPT)
def _drawn_model(shown: _Model) -> bytes:
    theme = DARK if shown.dark else LIGHT
    canvas = _begun(theme, "Proof card, model")
    canvas.text(EDGE, 158, cut(shown.headline, TITLE, INNER), TITLE, theme.ink)
    canvas.text(EDGE, 206, cut(shown.model, QUESTION, INNER), QUESTION, theme.primary)
    _box(canvas, theme, EDGE, 238, INNER, 250)
    if shown.after is None:
        text = "Nobody has asked it the corrections in force yet."
        canvas.text(EDGE + 32, 372, text, ANSWER, theme.muted)
    else:
        _bar(canvas, theme, 282, "This model, without help", shown.after, theme.good)
        if shown.before is not None:
            name = f"Its base model, {shown.base_model}" if shown.base_model else "Its base model"
            _bar(canvas, theme, 366, name, shown.before, theme.muted)
    told = shown.sentence or (CONFIDENCE if shown.after else "")
    lines = wrap(told, SMALL, INNER - 64, n_lines=2)
    canvas.paragraph(EDGE + 32, 440, lines, SMALL, theme.muted, width=INNER - 64)
    _facts(canvas, theme, shown.facts)
    return canvas.png()


def _begun(theme: Theme, kind: str) -> Canvas:
    canvas = Canvas(WIDTH, HEIGHT, background=theme.page)
    canvas.box(0, 0, WIDTH, 10, theme.primary)
    canvas.box(EDGE, 56, 30, 30, theme.primary, radius=9)
    canvas.box(EDGE + 9, 65, 12, 12, theme.page, radius=6)
    canvas.text(EDGE + 44, 79, "TrainerBot", FACT, theme.ink)
    canvas.text(WIDTH - EDGE, 79, kind, LABEL, theme.muted, align="right")
    return canvas


def _box(canvas: Canvas, theme: Theme, x: int, y: int, width: int, height: int) -> None:
    canvas.box(x, y, width, height, theme.line, radius=16)
    canvas.box(x + 2, y + 2, width - 4, height - 4, theme.panel, radius=14)


def _answer(
    canvas: Canvas,
    theme: Theme,
    x: int,
    width: int,
    title: str,
    words: str,
    colour: str,
    *,
    is_dim: bool,
) -> None:
    _box(canvas, theme, x, 290, width, 198)
    canvas.box(x + 2, 306, 6, 166, colour, radius=3)
    canvas.text(x + 28, 328, cut(title, LABEL, width - 56), LABEL, colour)
    lines = wrap(words, ANSWER, width - 56, n_lines=4)
    ink = theme.muted if is_dim else theme.ink
    canvas.paragraph(x + 28, 368, lines, ANSWER, ink, width=width - 56)


def _bar(canvas: Canvas, theme: Theme, y: int, title: str, share: Share, colour: str) -> None:
    """A share as a bar, with a line from the lowest to the highest that it may well be."""
    x, width = EDGE + 32, INNER - 64
    canvas.text(x, y, cut(title, LABEL, width - 300), LABEL, theme.ink)
    told = f"{share.in_words}, {100 * share.mean:.0f} %"
    canvas.text(x + width, y, told, FACT, theme.ink, align="right")
    canvas.box(x, y + 16, width, 18, theme.line, radius=9)
    if share.mean:
        canvas.box(x, y + 16, max(18.0, width * share.mean), 18, colour, radius=9)
    low, high = x + width * share.low, x + width * share.high
    canvas.box(round(low), y + 40, max(2.0, high - low), 2, theme.muted)
    for end in (low, high):
        canvas.box(round(end) - 1, y + 36, 2, 10, theme.muted)


def _facts(canvas: Canvas, theme: Theme, facts: Sequence[tuple[str, str]]) -> None:
    """A row of facts below; the last one has twice the room."""
    room = INNER / (len(facts) + 1)
    for at, (title, words) in enumerate(facts):
        width = (2 * room if at == len(facts) - 1 else room) - 20
        x = EDGE + at * room
        canvas.text(x, 530, cut(title, SMALL, width), SMALL, theme.muted)
        lines = wrap(words, SMALL, width, n_lines=2)
        canvas.paragraph(x, 560, lines, SMALL, theme.ink, width=width)


def _day(at: datetime | None) -> str:
    return f"{localtime(at).day} {localtime(at):%B %Y}" if at else "never"


def _times(n: int) -> str:
    return {0: "not yet", 1: "once"}.get(n, f"{n:,} times")
