"""`manage.py validatedataset PATH`: what is wrong with a file, stored nowhere."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management.problems import as_row, report_problems
from dashboard.management.service_command import ServiceCommand
from dashboard.services import datasets


class Command(ServiceCommand):
    help = "Check a chat JSONL file, line by line. Exit code 1 if it cannot be trained on."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="The file")

    def run(self, *, path: Path, as_json: bool, **options: Any) -> None:
        report = datasets.check(path)
        if as_json:
            self.give(
                {
                    "ok": report.ok,
                    "examples": report.n_examples,
                    "bytes": report.n_bytes,
                    "n_problems": report.n_problems,
                    "problems": [as_row(problem) for problem in report.problems],
                }
            )
        else:
            report_problems(self.stderr, report.problems)
        if not report.ok:
            first = report.first_error
            reason = first.message if first else "It has no examples."
            raise CommandError(f"{path.name} cannot be used. {reason}")
        if not as_json:
            self.say(f"{path.name}: {report.n_examples:,} examples, fit for training.")
