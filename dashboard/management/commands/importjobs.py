"""`manage.py importjobs PATH`: the job ids that the original bot wrote down."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.service_command import ServiceCommand
from dashboard.services import legacy


class Command(ServiceCommand):
    help = "Keep the jobs of the original bot's job_ids.json, in either of its shapes."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("path", type=Path, help="The file")

    def run(self, *, path: Path, as_json: bool, **options: Any) -> None:
        n_new = legacy.import_job_ids(path)
        if as_json:
            self.give({"new": n_new})
        else:
            self.say(f"{n_new:,} jobs were new. They are listed under Fine-tuning.")
