"""`manage.py finetune NAME`: train on a dataset."""

import time
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dashboard.management.commands.jobs import as_row
from dashboard.management.service_command import VersionCommand
from dashboard.models import FineTuneEvent, FineTuneJob, Task
from dashboard.services import datasets, embedded, jobs, processes, tasks
from trainerbot.errors import InvalidInput

LOOK_S = 0.5


class Command(VersionCommand):
    help = (
        "Fine-tune a model on a version of a dataset. "
        "Without a running system this command does the work itself, so it waits for the end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--base-model", default="", help="Default: the endpoint's first")
        parser.add_argument("--method", default="", help="Default: the base model's first")
        parser.add_argument("--suffix", default="", help="Part of the new model's name")
        parser.add_argument("--epochs", type=int, help="Passes over the data, where it counts")
        parser.add_argument("--seed", type=int, help="For a repeatable run")
        parser.add_argument("--wait", action="store_true", help="Until it is over, telling events")

    def run(
        self,
        *,
        name: str,
        number: int | None,
        base_model: str,
        method: str,
        suffix: str,
        epochs: int | None,
        seed: int | None,
        wait: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        if epochs is not None and epochs < 1:
            raise InvalidInput("--epochs counts passes over the data, so it is 1 or more.")
        dataset = datasets.named(name)
        with embedded.running():
            job = jobs.submit(
                dataset=dataset,
                version=None if number is None else datasets.version_of(dataset, number),
                base_model=base_model,
                method=method,
                suffix=suffix,
                seed=seed,
                hyperparameters={} if epochs is None else {"n_epochs": epochs},
            )
            if wait:
                self._watch(job, as_json)
            if wait or not processes.is_alive("worker"):
                task = Task.objects.get(idempotency_key=jobs.key(job))
                tasks.run_until_finished(task, each_try=lambda _: self._tell(job, as_json))
        job.refresh_from_db()
        if as_json:
            self.give(as_row(job))
        if job.status in ("failed", "cancelled"):
            raise CommandError(f"Job {job.pk} {job.status}. {job.error}".strip())
        if not as_json:
            self.say(f"Job {job.pk}: {job.status} {job.fine_tuned_model}".rstrip())

    _told = 0

    def _watch(self, job: FineTuneJob, as_json: bool) -> None:
        """Look on while a worker does the work; return when it is done, or the worker gone."""
        while not job.is_finished and processes.is_alive("worker"):
            time.sleep(LOOK_S)
            job.refresh_from_db()
            self._tell(job, as_json)

    def _tell(self, job: FineTuneJob, as_json: bool) -> None:
        """Print the events that came since the last look; on stderr, as --json owns stdout."""
        out = self.stderr if as_json else self.stdout
        for event in FineTuneEvent.objects.filter(job=job, pk__gt=self._told).order_by("pk"):
            out.write(event.message)
            self._told = event.pk
