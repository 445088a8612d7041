"""`manage.py freezedataset NAME`: a draft becomes a version that never changes."""

from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.service_command import VersionCommand
from dashboard.services import datasets, drafts


class Command(VersionCommand):
    help = "Freeze the newest version of a dataset, if it is a draft. Training needs a frozen one."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--note", default="", help="What changed and why")

    def run(
        self, *, name: str, number: int | None, note: str, as_json: bool, **options: Any
    ) -> None:
        version = datasets.version_of(datasets.named(name), number)
        frozen = drafts.freeze(version, actor=None, note=note)
        if as_json:
            self.give(
                {
                    "dataset": frozen.dataset.name,
                    "version": frozen.number,
                    "examples": frozen.n_examples,
                    "bytes": frozen.n_bytes,
                    "sha256": frozen.sha256,
                }
            )
            return
        self.say(f"{frozen} is frozen: {frozen.n_examples:,} examples, SHA-256 {frozen.sha256}.")
