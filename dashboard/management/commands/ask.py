"""`manage.py ask "text"`: one question, or one a line of a file."""

import asyncio
from pathlib import Path
from typing import Any

from channels.db import database_sync_to_async
from django.core.management.base import CommandParser

from dashboard.management.rows import read_rows
from dashboard.management.service_command import ServiceCommand
from dashboard.models import Source
from dashboard.services import chat, conversations, embedded, providers
from dashboard.services.conversations import Answer
from trainerbot.errors import InvalidInput

start = database_sync_to_async(conversations.start)


class Command(ServiceCommand):
    help = "Ask the bot. Each question is a conversation of its own."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("text", nargs="?", default="", help="The question")
        parser.add_argument("--file", type=Path, help='JSON lines, each with a "question"')
        parser.add_argument("--model", default="", help="Default: the one in Settings")

    def run(
        self, *, text: str, file: Path | None, model: str, as_json: bool, **options: Any
    ) -> None:
        questions = _questions(text, file)
        with embedded.running():
            asyncio.run(self._ask(questions, model, as_json))

    async def _ask(self, questions: list[str], model: str, as_json: bool) -> None:
        try:
            for question in questions:
                conversation = await start(source=Source.API)
                answer = await chat.answer(
                    conversation=conversation, question=question, model=model
                )
                self._print(question, answer, as_json)
        finally:
            await providers.close_chat_model()

    def _print(self, question: str, answer: Answer, as_json: bool) -> None:
        if as_json:
            self.give(
                {
                    "question": question,
                    "answer": answer.text,
                    "model": answer.model,
                    "correction": answer.correction_id,
                    "examples": list(answer.example_ids),
                    "ms": answer.total_ms,
                }
            )
            return
        self.say(answer.text)
        if answer.correction_id is not None:
            self.stderr.write(self.style.SUCCESS(f"corrected · #{answer.correction_id}"))


def _questions(text: str, file: Path | None) -> list[str]:
    if (file is None) == (not text):
        raise InvalidInput('Give one question, or a file: ask "text", or ask --file F.jsonl')
    if file is None:
        conversations.check_question(text)
        return [text]
    rows = read_rows(file, {"question": conversations.check_question})
    return [row["question"] for row in rows]
