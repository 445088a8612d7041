"""What all our commands share: --json, errors in words, an exit code that tells."""

import json
import logging
from argparse import SUPPRESS
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.services import storage
from trainerbot.errors import TrainerBotError


class ServiceCommand(BaseCommand):
    """A command over a service: `run` works; what goes wrong is said in words, exit code 1."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="For programs")

    def handle(self, *args: Any, **options: Any) -> None:
        # What a task that runs here would log, the command says itself.
        logging.getLogger("dashboard.services").setLevel(logging.WARNING)
        try:
            with storage.failures_in_words():
                self.run(**options)
        except TrainerBotError as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(_of_file(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped.", returncode=130) from error

    def run(self, *args: Any, **options: Any) -> None:
        """Do the work; each command names the options it takes."""
        raise CommandError("This command does nothing.")

    def say(self, words: str) -> None:
        self.stdout.write(words)

    def give(self, data: Any) -> None:
        """One JSON value on one line."""
        self.stdout.write(json.dumps(data, ensure_ascii=False))


class VersionCommand(ServiceCommand):
    """A command about one version of a dataset: its name, and `--version NUMBER` as `number`."""

    needs_name = True

    def create_parser(self, *args: Any, **options: Any) -> CommandParser:
        # Every command of Django has a --version, which tells Django's own.
        return super().create_parser(*args, conflict_handler="resolve", **options)

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        if self.needs_name:
            parser.add_argument("name", help="The dataset")
        else:
            parser.add_argument("name", nargs="?", default="", help="The dataset")
        parser.add_argument(
            "--version", type=int, dest="number", help="Its number; else the newest"
        )
        # What `finetune` and `classify` called it at first; scripts may say it still.
        parser.add_argument("--version-number", type=int, dest="number", help=SUPPRESS)


def _of_file(error: OSError) -> str:
    """What is wrong with a file, in a sentence. Commands alone name paths: their user gave them."""
    match error:
        case FileNotFoundError():
            return f"There is no file {error.filename}."
        case IsADirectoryError():
            return f"{error.filename} is a folder. Name a file in it."
        case PermissionError():
            return f"{error.filename} may not be read or written by this account."
        case _:
            where = f"{error.filename}: " if error.filename else ""
            return f"{where}{error.strerror or error}."
