"""`manage.py diffdataset NAME 1 2`: what one version has that another has not."""

from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.service_command import ServiceCommand
from dashboard.services import datasets, differences
from dashboard.services.differences import Change
from trainerbot.curation import Difference
from trainerbot.errors import InvalidInput

SHOWN = 20
SIGNS = {"added": "+", "removed": "-", "changed": "~"}


class Command(ServiceCommand):
    help = "Compare two versions of a dataset: rows added, removed and changed, word by word."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", help="The dataset")
        parser.add_argument("before", type=int, help="Number of the one version")
        parser.add_argument("after", type=int, help="Number of the other")
        parser.add_argument(
            "--with", dest="other", help="The other version's dataset, if not the same"
        )
        parser.add_argument(
            "--limit",
            type=int,
            default=None,
            help=f"How many changes to tell ({SHOWN}; --json: all)",
        )

    def run(
        self,
        *,
        name: str,
        before: int,
        after: int,
        other: str | None,
        limit: int | None,
        as_json: bool,
        **options: Any,
    ) -> None:
        if limit is not None and limit < 0:
            raise InvalidInput("--limit counts changes, so it is 0 or more.")
        one = datasets.version_of(datasets.named(name), before)
        two = datasets.version_of(datasets.named(other or name), after)
        comparison = differences.between(one, two)
        if as_json:
            self.give(differences.as_json(comparison, limit=limit))
            return
        counts = comparison.counts
        self.say(
            f"{one} -> {two}: {counts.added:,} added, {counts.removed:,} removed, "
            f"{counts.changed:,} changed, {counts.kept:,} the same."
        )
        for each in comparison.settings:
            self.say(f"{each.name}: {each.before or 'none'} -> {each.after or 'none'}")
        shown = SHOWN if limit is None else limit
        for number, change in enumerate(comparison.all()):
            if number == shown:
                self.say("... and more; --limit tells how many to show.")
                break
            self._tell(change)

    def _tell(self, change: Change) -> None:
        row = change.after or change.before
        self.say(f"{SIGNS[change.kind]} {row.position if row else ''}: {_marked(change.text)}")


def _marked(pieces: list[Difference]) -> str:
    """One line: what went in [-brackets-], what came in {+braces+}, as git's word diff has it."""
    marks = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    if len(pieces) == 1:
        marks["removed"] = marks["added"] = "{}"
    told = "".join(marks[piece.change.value].format(piece.text) for piece in pieces)
    return " ".join(told.split())[:400]
