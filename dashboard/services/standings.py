"""How fine-tune jobs stand, in figures; and which people on Discord still wait to hear the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.timezone import now

from dashboard.models import DiscordChannel, FineTuneJob, LegacyJob, Task
from dashboard.services import datasets, jobs
from dashboard.services.paging import Page, page
from trainerbot.errors import NotFound
from trainerbot.formats.rows import Kind

if TYPE_CHECKING:
    from django.db.models import QuerySet

MOST_AT_ONCE = 50
LOSSES = ("valid_loss", "eval_loss", "train_loss")
PAGE = 10
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Standing:
    """One job as it is now.

    share: done, 0 to 1, None while nobody knows. step, n_steps: of the
    training, as the endpoint counts. losses: the newest figure of each curve.
    said: the endpoint's last words. labels: of a labelled dataset.
    licences: of the examples, where they are known. discord_guild_id: where
    it was asked for; None in direct messages.
    """

    job: FineTuneJob
    share: float | None
    step: int | None
    n_steps: int | None
    losses: dict[str, float]
    said: str
    labels: list[str]
    licences: list[str]
    discord_guild_id: int | None = None


def of(job: FineTuneJob) -> Standing:
    """The figures of `job`, from its task and its events."""
    task = Task.objects.filter(idempotency_key=jobs.key(job)).first()
    events = job.events.order_by("-pk")
    metrics = list(events.filter(type="metrics")[:10])
    losses: dict[str, float] = {}
    for event in metrics:
        for name in LOSSES:
            value = event.metric(name)
            if value is not None:
                losses.setdefault(name, value)
    newest = metrics[0].data if metrics else {}
    step, n_steps = newest.get("step"), newest.get("total_steps")
    said = events.exclude(type="metrics").values_list("message", flat=True).first()
    sources = job.provenance.get("sources", [])
    return Standing(
        job=job,
        share=1.0 if job.status == "succeeded" else (task.progress or None) if task else None,
        step=step if isinstance(step, int) else None,
        n_steps=n_steps if isinstance(n_steps, int) else None,
        losses=losses,
        said=said or "",
        labels=datasets.label_names(job.version) if job.version.kind == Kind.LABELLED else [],
        licences=sorted({each["licence"] for each in sources if each.get("licence")}),
    )


def find(words: str = "") -> FineTuneJob:
    """The job of our number or the endpoint's id; the latest one for no words. Raises NotFound."""
    wanted = words.strip().removeprefix("#")
    rows = _rows()
    if not wanted:
        found = rows.first()
    elif wanted.isascii() and wanted.isdecimal():
        found = rows.filter(pk=int(wanted)).first() if len(wanted) <= _MAX_DIGITS else None
    else:
        found = rows.filter(remote_job_id=wanted[:100]).first() if "\x00" not in wanted else None
    if found is None:
        raise NotFound(
            "There is no such job. `!jobs` lists them." if wanted else "No model was trained yet."
        )
    return found


def ids(containing: str = "", *, most: int = 25) -> list[tuple[str, FineTuneJob]]:
    """What the newest jobs can be called by, with the jobs: the endpoint's id, else our number."""
    found = [(job.remote_job_id or str(job.pk), job) for job in _rows()[:200]]
    wanted = containing.strip().casefold()
    return [(name, job) for name, job in found if wanted in f"{name} {job.version}".casefold()][
        :most
    ]


def listed(*, after: str = "", before: str = "") -> Page[FineTuneJob]:
    """Ten jobs, newest first; tokens as `paging.page` has them."""
    return page(_rows(), after=after, before=before, size=PAGE)


def listed_legacy(*, after: str = "", before: str = "") -> Page[LegacyJob]:
    """Ten job ids of the original bot, newest first."""
    return page(LegacyJob.objects.all(), after=after, before=before, size=PAGE)


# --- Those who wait on Discord ----------------------------------------------------
def untold() -> list[Standing]:
    """The jobs asked for on Discord whose askers do not know the end yet, oldest first."""
    rows = FineTuneJob.objects.filter(discord_message_id__isnull=False, told_at=None)
    found = rows.select_related("version__dataset", "discord_user").order_by("pk")[:MOST_AT_ONCE]
    places = DiscordChannel.objects.filter(
        discord_channel_id__in=[job.discord_channel_id for job in found]
    )
    guilds = dict(places.values_list("discord_channel_id", "guild__discord_guild_id"))
    return [
        replace(of(job), discord_guild_id=guilds.get(job.discord_channel_id or 0)) for job in found
    ]


def told(job: FineTuneJob) -> bool:
    """Note that who asked for `job` was told how it ended; False if that was noted before."""
    return bool(FineTuneJob.objects.filter(pk=job.pk, told_at=None).update(told_at=now()))


def _rows() -> QuerySet[FineTuneJob]:
    return FineTuneJob.objects.select_related("version__dataset", "discord_user").order_by("-pk")
