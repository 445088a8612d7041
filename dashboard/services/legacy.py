"""What the original bot left beside its data, kept as it was."""

from pathlib import Path

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import LegacyJob
from dashboard.services import audit, jobs, outbox
from trainerbot.errors import InvalidInput
from trainerbot.formats.legacy import read_job_ids

MAX_ID = 200


@transaction.atomic
def import_job_ids(path: Path, *, filename: str = "", actor: User | None = None) -> int:
    """Keep the jobs of a `job_ids.json` in either shape; how many were new.

    A job that is known already stays as it is. Raises InvalidInput for a file
    that is none, OSError when it cannot be read.
    """
    found = read_job_ids(path)
    too_long = next((job for job in found if len(job.id) > MAX_ID), None)
    if too_long is not None:
        raise InvalidInput(f"A job id has {len(too_long.id):,} characters; {MAX_ID} is the most.")
    known = set(LegacyJob.objects.values_list("remote_job_id", flat=True))
    fresh = {job.id: job for job in found if job.id not in known}
    LegacyJob.objects.bulk_create(
        LegacyJob(
            remote_job_id=job.id,
            description=job.description,
            created_at=job.created,
            source_filename=(filename or path.name)[:255],
        )
        for job in fresh.values()
    )
    audit.record(actor, "legacy.import", (filename or path.name)[:120], n_jobs=len(fresh))
    outbox.publish(jobs.TOPIC, "job.changed", id=0, status="legacy")
    return len(fresh)
