"""What a review channel reads of a training that ended: the sentence, the figures, the links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import discord

from botrunner.quoting import in_a_line
from botrunner.ui.links import dashboard_address

if TYPE_CHECKING:
    from dashboard.services.trainings.telling import Ending

SENTENCE_CHARACTERS: Final = 600
NAME_CHARACTERS: Final = 80
MOST_SUITES: Final = 6
MARKS: Final = {"promote": "✅", "keep recall": "↔️", "refuse": "⛔"}
LONGEST_BUTTON_LINK: Final = 512  # Discord's limit


def text(ending: Ending) -> str:
    """The card in words: at most 2,000 characters."""
    training, verdict = ending.training, ending.verdict
    n_learned = training.counts.get("learned", 0)
    lines = [
        f"**Training {training.pk}** on what people taught · {n_learned:,} "
        f"example{'s' * (n_learned != 1)}"
    ]
    if training.stage == "failed":
        return "\n".join([*lines, f"❌ Failed: {in_a_line(training.error, SENTENCE_CHARACTERS)}"])
    lines.append(f"{in_a_line(training.base_model, NAME_CHARACTERS)} became `{training.model}`.")
    if verdict is None or not verdict.decision:
        said = in_a_line(training.error, SENTENCE_CHARACTERS) or "It was not tested."
        return "\n".join([*lines, f"⚠️ {said}"])
    lines.append(
        f"{MARKS.get(verdict.decision, '')} **{in_a_line(ending.sentence, SENTENCE_CHARACTERS)}**"
    )
    for suite in ending.suites[:MOST_SUITES]:
        figures = " · ".join(
            f"{side.label.lower()} {100 * side.share:.0f} %" for side in suite.sides
        )
        lines.append(f"-# {in_a_line(suite.name, NAME_CHARACTERS)} ({suite.n:,}): {figures}")
    return "\n".join(lines)


def buttons(ending: Ending) -> discord.ui.View:
    """Where to read more and to promote it: on the dashboard, where the gate decides."""
    view = discord.ui.View(timeout=None)
    address = dashboard_address().strip("<>").rstrip("/")
    if not address:
        return view
    training = ending.training
    view.add_item(
        discord.ui.Button(label="All of it", url=f"{address}/fine-tuning/taught/{training.pk}/")
    )
    promote = f"{address}/releases/"
    if len(ending.aliases) == 1:
        promote += f"{ending.aliases[0]}/?model={quote(training.model, safe='')}"
    is_good = ending.verdict is not None and ending.verdict.decision == "promote"
    if is_good and len(promote) <= LONGEST_BUTTON_LINK:
        view.add_item(discord.ui.Button(label="Promote it", url=promote))
    return view
