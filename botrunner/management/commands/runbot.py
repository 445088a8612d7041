import asyncio
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from botrunner import gateway
from botrunner.process import BotProcess, LoginRefused, loop
from dashboard.services.bot import ShardRange
from trainerbot.errors import InvalidInput, TrainerBotError

BAD_SETTINGS = 78  # sysexits' EX_CONFIG: starting again would not help
NO_TOKEN = (
    "No DISCORD_TOKEN is set. Put the bot's token from https://discord.com/developers/applications "
    "into the environment or into .env; everything but Discord works without it."
)


class Command(BaseCommand):
    help = (
        "Runs the Discord bot until it is told to stop (Ctrl-C or SIGTERM). It then finishes the "
        "answers in flight; a second Ctrl-C cuts them short."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--drain-s",
            type=float,
            default=20.0,
            help="Seconds for the answers in flight to finish at the end (default 20)",
        )

        parser.add_argument(
            "--shard-ids",
            default="",
            metavar="FIRST-LAST",
            help="Run only these shards, such as 0-3 or 2; other runbots run the others",
        )
        parser.add_argument(
            "--shard-count",
            type=int,
            default=0,
            help="Shards in all, the same number for every runbot (default: one connection)",
        )
        parser.add_argument(
            "--supervised",
            action="store_true",
            help="Leave start, stop and restart to whoever started this, as `manage.py up` does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        token = settings.DISCORD_TOKEN.strip()
        if not token:
            raise CommandError(NO_TOKEN, returncode=BAD_SETTINGS)
        try:
            if settings.DISCORD_API_BASE:
                gateway.checked(settings.DISCORD_API_BASE)
            shards = ShardRange.parse(options["shard_ids"], options["shard_count"])
            obeys = not options["supervised"]
            while loop.run(self._run(token, options["drain_s"], shards, obeys=obeys)):
                self.stdout.write("Starting anew, as asked on the dashboard.")
        except (InvalidInput, LoginRefused) as error:
            raise CommandError(str(error), returncode=BAD_SETTINGS) from error
        except TrainerBotError as error:
            raise CommandError(str(error)) from error

    async def _run(self, token: str, drain_s: float, shards: ShardRange, *, obeys: bool) -> bool:
        """Run the bot once; True when it shall run again."""
        process = BotProcess(
            token=token,
            api_base=settings.DISCORD_API_BASE,
            drain_s=drain_s,
            shards=shards,
            obeys=obeys,
        )
        running = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
            if number := getattr(signal, name, None):
                # Not the loop's add_signal_handler, which Windows does not have.
                signal.signal(
                    number, lambda *_: running.call_soon_threadsafe(process.wishes.ask_to_stop)
                )
        return await process.run()
