"""`manage.py models`: what can be asked."""

import asyncio
from typing import Any

from dashboard.management.service_command import ServiceCommand
from dashboard.services import chat, embedded, providers
from trainerbot.llm import ModelInfo


class Command(ServiceCommand):
    help = "List the models that can chat, tuned ones first."

    def run(self, *, as_json: bool, **options: Any) -> None:
        with embedded.running():
            models = asyncio.run(_models())
        if as_json:
            self.give([{"id": row.id, "owned_by": row.owned_by} for row in models])
            return
        if not models:
            self.say("No model. The local one may be missing on this platform; see the README.")
        for model in models:
            self.say(f"{model.id}  ({model.owned_by})")


async def _models() -> list[ModelInfo]:
    try:
        return await chat.models()
    finally:
        await providers.close_chat_model()
