"""What the original bot left beside its data: the ids of its training jobs."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from trainerbot.errors import InvalidInput
from trainerbot.formats.jsonl import Line, parse_value
from trainerbot.formats.report import Problem
from trainerbot.formats.sources.members import Member
from trainerbot.formats.sources.plain import on_disk

_MAX_BYTES: Final = 16 * 2**20


class LegacyJobId(NamedTuple):
    """One job that the original started, or believed so.

    `created` is None in the older shape of the file, which kept no time.
    """

    id: str
    description: str
    created: datetime | None


def read_job_ids(path: str | os.PathLike[str]) -> list[LegacyJobId]:
    """Return the jobs of a `job_ids.json`, in the file's order.

    Reads both shapes: {id: description}, and a list of {id, description,
    created} with the time as a date or in seconds since 1970. Raises InvalidInput for
    anything else, and OSError when the file cannot be read.
    """
    source = Path(path)
    with on_disk(Member(source.name, path=source)) as plain:
        if isinstance(plain, Problem):
            raise InvalidInput(plain.message)
        if plain.stat().st_size > _MAX_BYTES:
            raise InvalidInput("This file is too large for a list of job ids (16 MiB).")
        value = parse_value(Line(1, plain.read_bytes().removeprefix(b"\xef\xbb\xbf")))
    if isinstance(value, Problem):
        raise InvalidInput(value.message)
    if isinstance(value, dict):
        jobs = [_read_pair(job_id, description) for job_id, description in value.items()]
    elif isinstance(value, list):
        jobs = [_read_entry(number, entry) for number, entry in enumerate(value, 1)]
    else:
        raise InvalidInput("A job_ids.json holds a list of jobs, or ids and their descriptions.")
    return jobs


def are_job_ids(value: object) -> bool:
    """Say whether a value has one of the two shapes, beyond doubt.

    The older one is any object of texts; its keys must look like job ids.
    """
    if isinstance(value, list):
        return bool(value) and are_job_ids(value[0])
    if not isinstance(value, dict) or not value:
        return False
    if {"id", "description"} <= value.keys() <= {"id", "description", "created"}:
        return True
    return all(
        isinstance(description, str) and key.lower().startswith(("ft", "job", "train"))
        for key, description in value.items()
    )


def _read_pair(job_id: str, description: object) -> LegacyJobId:
    if not job_id.strip() or not isinstance(description, str):
        raise InvalidInput(f'The job "{job_id[:40]}" has no description that is a text.')
    return LegacyJobId(job_id, description, None)


def _read_entry(number: int, entry: Any) -> LegacyJobId:
    where = f"Job {number} of the list"
    if not isinstance(entry, dict):
        raise InvalidInput(f"{where} is not an object of id, description and created.")
    job_id, description = entry.get("id"), entry.get("description", "")
    if not isinstance(job_id, str) or not job_id.strip() or not isinstance(description, str):
        raise InvalidInput(f"{where} needs an id and a description, both texts.")
    created = entry.get("created")
    if created is None:
        return LegacyJobId(job_id, description, None)
    try:
        if isinstance(created, str):
            moment = datetime.fromisoformat(created.strip())
            return LegacyJobId(
                job_id, description, moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            )
        if isinstance(created, bool) or not isinstance(created, int | float):
            raise InvalidInput(f'{where}: "created" must be a date, or seconds since 1970.')
        return LegacyJobId(job_id, description, datetime.fromtimestamp(created, UTC))
    except (ValueError, OverflowError, OSError) as error:
        raise InvalidInput(f'{where}: "created" is no time.') from error
