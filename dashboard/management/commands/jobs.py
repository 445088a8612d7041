"""`manage.py jobs`: the fine-tunes, newest first, then what the original bot left."""

from typing import Any

from django.core.management.base import CommandParser

from dashboard.management.service_command import ServiceCommand
from dashboard.models import FineTuneJob, LegacyJob
from trainerbot.errors import InvalidInput

KEYS = ("id", "model", "error", "dataset", "version", "base_model", "method")


def as_row(job: FineTuneJob) -> dict[str, Any]:
    return {
        "id": job.pk,
        "status": job.status,
        "model": job.fine_tuned_model or None,
        "error": job.error or None,
        "dataset": job.version.dataset.name,
        "version": job.version.number,
        "base_model": job.base_model,
        "method": job.method,
        "remote_job_id": job.remote_job_id or None,
    }


def as_legacy_row(job: LegacyJob) -> dict[str, Any]:
    return {
        **dict.fromkeys(KEYS),
        "status": "legacy",
        "remote_job_id": job.remote_job_id,
        "description": job.description or None,
        "created_at": job.created_at.isoformat() if job.created_at else None,
    }


class Command(ServiceCommand):
    help = "List fine-tune jobs, newest first, and those that the original bot had saved."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit", type=int, default=20, help="How many (20)")

    def run(self, *, limit: int, as_json: bool, **options: Any) -> None:
        if limit < 1:
            raise InvalidInput("--limit counts jobs, so it is 1 or more.")
        newest = FineTuneJob.objects.select_related("version__dataset").order_by("-pk")[:limit]
        legacy = LegacyJob.objects.order_by("-pk")[:limit]
        if as_json:
            self.give([*map(as_row, newest), *map(as_legacy_row, legacy)])
            return
        for job in newest:
            end = job.fine_tuned_model or job.error
            self.say(f"{job.pk:>4}  {job.status:<16} {job.version}  {end}".rstrip())
        for old in legacy:
            self.say(f"   -  {'legacy':<16} {old.remote_job_id}  {old.description}".rstrip())
        if not newest and not legacy:
            self.say("No fine-tune yet. Start one: python3 run.py manage finetune DATASET --wait")
