"""`manage.py importdataset PATH --name N`: a file becomes a version of a dataset."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management.problems import as_row, report_problems
from dashboard.management.service_command import ServiceCommand
from dashboard.models import Example
from dashboard.services import datasets


class Command(ServiceCommand):
    help = (
        "Import a chat JSONL file as the next version of a dataset. "
        "All rows or none; the problems are told by line."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="The file")
        parser.add_argument("--name", required=True, help="The dataset, made if it is new")

    def run(self, *, path: Path, name: str, as_json: bool, **options: Any) -> None:
        try:
            version = datasets.import_file(path, name=name, source=Example.Source.COMMAND)
        except datasets.DatasetRefused as error:
            if as_json:
                problems = [as_row(problem) for problem in error.report.problems]
                self.give({"error": str(error), "problems": problems})
            else:
                report_problems(self.stderr, error.report.problems)
            raise CommandError(str(error)) from error
        if as_json:
            self.give(
                {
                    "id": version.dataset_id,
                    "dataset": version.dataset.name,
                    "version": version.number,
                    "examples": version.n_examples,
                    "warnings": version.n_warnings,
                    "sha256": version.sha256,
                }
            )
            return
        warnings = f", {version.n_warnings:,} warnings" if version.n_warnings else ""
        self.say(f"{version}: {version.n_examples:,} examples{warnings}.")
        self.say(f"Next: python3 run.py manage finetune {name!r} --wait")
