"""`manage.py correct "question" "right answer"`: in force from the next question on."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction

from dashboard.management.rows import read_rows
from dashboard.management.service_command import ServiceCommand
from dashboard.services import corrections
from dashboard.services.corrections import check_answer, check_question
from trainerbot.errors import InvalidInput


class Command(ServiceCommand):
    help = "Teach the bot the right answer to a question. All lines of a file, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("question", nargs="?", default="", help="What was asked")
        parser.add_argument("answer", nargs="?", default="", help="The right answer, kept verbatim")
        parser.add_argument(
            "--file", type=Path, help='JSON lines, each with a "question" and an "answer"'
        )

    def run(
        self, *, question: str, answer: str, file: Path | None, as_json: bool, **options: Any
    ) -> None:
        if file is not None and (question or answer):
            raise InvalidInput("Give either a question and an answer, or --file, not both.")
        rows = (
            read_rows(file, {"question": check_question, "answer": check_answer})
            if file is not None
            else [{"question": question, "answer": answer}]
        )
        with transaction.atomic():
            taught = [
                corrections.propose(
                    question=row["question"],
                    better_answer=row["answer"],
                    author_name="command line",
                    approved=True,
                )
                for row in rows
            ]
        for correction in taught:
            if as_json:
                self.give({"id": correction.pk})
            else:
                self.say(f"Correction #{correction.pk} is in force.")
