"""`manage.py traintaught`: train a model on what people taught, test it, say whether it is worth it."""

import time
from typing import Any, Final

from django.core.management.base import CommandError, CommandParser

from dashboard.management.service_command import ServiceCommand
from dashboard.models import DiscordGuild, Training
from dashboard.services import datasets, embedded, processes, tasks, trainings
from dashboard.services.tasks.worker import new_name
from dashboard.services.trainings import Scope, Why
from trainerbot.errors import InvalidInput, NotFound

LOOK_S: Final = 0.5


class Command(ServiceCommand):
    help = (
        "Train a model on approved corrections that no model has learned yet, ask it and its base "
        "model the same tests, and say in a sentence whether to promote it. Without a running "
        "system this command does the work itself, so it waits for the end."
    )
    _told = ""  # what was last said on stderr

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        whose = parser.add_mutually_exclusive_group()
        whose.add_argument("--guild", default="", help="Also what counts on this server: its id")
        whose.add_argument(
            "--all-guilds", action="store_true", help="What all servers taught, in one model"
        )
        parser.add_argument("--base-model", default="", help="Default: that of the last training")
        parser.add_argument(
            "--method",
            default="",
            help='supervised, "supervised+dpo", dpo, knn; default: the usual',
        )
        parser.add_argument("--suffix", default="", help="Part of the new model's name")
        parser.add_argument("--mix-in", default="", help="A dataset of general conversations")
        parser.add_argument(
            "--hold-out", type=int, default=0, help="How many of a hundred are for the test alone"
        )
        parser.add_argument(
            "--only-new", action="store_true", help="Not what a model has learned before"
        )
        parser.add_argument("--again", action="store_true", help="Also when nothing is new")
        parser.add_argument("--dry-run", action="store_true", help="Only say what it would learn")
        parser.add_argument("--wait", action="store_true", help="Until it is over")

    def run(
        self,
        *,
        guild: str,
        all_guilds: bool,
        base_model: str,
        method: str,
        suffix: str,
        mix_in: str,
        hold_out: int,
        only_new: bool,
        again: bool,
        dry_run: bool,
        wait: bool,
        as_json: bool,
        **options: Any,
    ) -> None:
        scope = _scope(guild, all_guilds=all_guilds)
        if dry_run:
            self._plan(scope, with_known=not only_new, hold_out=hold_out, as_json=as_json)
            return
        mixed_in = datasets.version_of(datasets.named(mix_in)) if mix_in else None
        with embedded.running():
            training = trainings.begin(
                scope,
                base_model=base_model,
                way=method,
                with_known=not only_new,
                hold_out=hold_out,
                mixed_in=mixed_in,
                suffix=suffix,
                again=again,
                actor=None,
            )
            worker = new_name()
            while not training.is_finished:
                if processes.is_alive("worker"):
                    if not wait:
                        break
                    time.sleep(LOOK_S)
                elif not tasks.run_next(worker):
                    time.sleep(LOOK_S)
                training.refresh_from_db()
                self._tell(training)
        self._end(training, as_json=as_json)

    def _plan(self, scope: Scope, *, with_known: bool, hold_out: int, as_json: bool) -> None:
        picked = trainings.look(scope, with_known=with_known, hold_out=hold_out)
        if as_json:
            self.give(picked.told)
            return
        self.say(
            f"{picked.n_learned} examples, {picked.n_new} of them new, {picked.n_pairs} pairs, "
            f"{picked.n_held_out} held out."
        )
        for why, n in picked.n_left_out.items():
            self.say(f"Left out: {n} ({REASONS[why]}).")

    def _tell(self, training: Training) -> None:
        said = training.get_stage_display()
        if said != self._told and not training.is_finished:
            self.stderr.write(f"{said} …")
            self._told = said

    def _end(self, training: Training, *, as_json: bool) -> None:
        verdict = training.verdict
        sentence = verdict.sentence if verdict is not None else ""
        if as_json:
            self.give(
                {
                    "id": training.pk,
                    "stage": training.stage,
                    "model": training.model or None,
                    "decision": (verdict.decision if verdict is not None else "") or None,
                    "sentence": sentence or None,
                    "error": training.error or None,
                    "counts": training.counts,
                }
            )
        if training.stage in (Training.Stage.FAILED, Training.Stage.CANCELLED):
            raise CommandError(f"Training {training.pk} {training.stage}. {training.error}".strip())
        if not as_json:
            if not training.is_finished:
                self.say(f"Training {training.pk} is under way; a worker does it.")
            else:
                self.say(f"Training {training.pk} made {training.model}.")
                self.say(sentence or training.error)


REASONS: Final = {
    Why.KNOWN: "learned before",
    Why.DISCORD: "the question is Discord message content, and no permission is recorded",
    Why.ASKER_ERASED: "whoever asked had their words deleted",
    Why.CHANNEL: "they count in one channel only",
    Why.REPEATED: "they say the same as a newer one",
    Why.CONTRADICTED: "they contradict another one",
    Why.TOO_MANY: "too many for one training",
}


def _scope(guild: str, *, all_guilds: bool) -> Scope:
    if all_guilds:
        return trainings.scope_of("all")
    if not guild:
        return trainings.scope_of("everywhere")
    if not (guild.isascii() and guild.isdecimal() and len(guild) < 19):
        raise InvalidInput("--guild takes Discord's id of a server, which is a number.")
    row = DiscordGuild.objects.filter(discord_guild_id=int(guild)).first()
    if row is None:
        raise NotFound("The bot knows no server of that id.")
    return Scope(f"guild-{row.pk}", row)
