import argparse
from typing import Any

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dashboard.services import preparation
from trainerbot.errors import TrainerBotError


class Command(BaseCommand):
    help = (
        "Bring the database and the static files up to date, in words on stderr; then run the "
        "management command that follows, if one does, in this same process."
    )
    requires_system_checks = []  # the command that follows has its own

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "command", nargs=argparse.REMAINDER, help="a management command and its arguments"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            preparation.prepare(self.stderr.write)
        except TrainerBotError as error:
            raise CommandError(str(error)) from error
        if options["command"]:
            ManagementUtility(["manage.py", *options["command"]]).execute()
