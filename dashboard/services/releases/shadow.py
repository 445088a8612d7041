"""What another release would have said: asked by the worker, seen on the dashboard alone."""

from __future__ import annotations

import time
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import ShadowAnswer
from dashboard.services import outbox, places, prices, providers, recall, storage, tasks
from dashboard.services.chat import memory
from dashboard.services.releases.aliases import TOPIC
from dashboard.services.routing import SHADOW
from dashboard.services.tasks import Later, Run
from trainerbot.conversation import Finished, Recalled, prompting, turn
from trainerbot.errors import ProviderUnavailable, TrainerBotError
from trainerbot.messages import ChatMessage

if TYPE_CHECKING:
    from dashboard.services.places import Place

WAIT_S: Final = 30.0
PATIENCE: Final = timedelta(hours=1)


@tasks.handler(SHADOW)
def work(run: Run) -> Later | dict[str, Any]:
    """Ask one shadow what it would have said, and keep it.

    An endpoint that does not answer is asked again for an hour.
    """
    rows = ShadowAnswer.objects.select_related(
        "release__alias", "question__conversation__discord_channel__guild"
    )
    row = rows.filter(pk=run.args["id"], answer="", error="").first()
    if row is None:
        return {}  # asked before, or its question was erased
    if row.release.alias.shadow_id != row.release_id:
        row.delete()  # stopped meanwhile
        return {}
    place, recalled, history = _known(row)
    if recalled.verbatim is not None:
        row.delete()  # somebody taught the answer meanwhile, and no model is asked any more
        return {}
    begun = time.monotonic()
    try:
        finished = providers.ask_at_once(lambda: _ask(row, place, recalled, history))
    except ProviderUnavailable as error:
        if now() - row.created_at < PATIENCE:
            return Later(WAIT_S)
        row.error = str(error)
    except TrainerBotError as error:
        row.error = str(error)
    else:
        row.answer = storage.storable(finished.text)
        row.prompt_tokens = finished.usage.prompt_tokens
        row.completion_tokens = finished.usage.completion_tokens
        row.cost_usd = prices.cost(
            places.rules().prices,
            model=finished.model,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
        )
    row.ms = round(1_000 * (time.monotonic() - begun))
    with transaction.atomic():
        # Whoever had everything about them erased meanwhile has this erased, too.
        if ShadowAnswer.objects.filter(pk=row.pk).exists():
            row.save(force_update=True)
        outbox.publish(TOPIC, "shadow.answered", name=row.release.alias.name)
    return {}


def _known(row: ShadowAnswer) -> tuple[Place, Recalled, list[ChatMessage]]:
    """What the release that answered knew: how it behaves there, the corrections, the talk before."""
    question = row.question
    channel = question.conversation.discord_channel
    guild_id = channel.guild.discord_guild_id if channel and channel.guild else None
    ids = () if channel is None else (channel.discord_channel_id,)
    place = places.rules().place(guild_id, *ids)
    recalled = recall.current().recall(question.content, recall.place(channel))
    history = memory.of_conversation(question.conversation_id, before=question.pk)
    return place, recalled, history


async def _ask(
    row: ShadowAnswer, place: Place, recalled: Recalled, history: list[ChatMessage]
) -> Finished:
    release = row.release
    events = turn.answer(
        row.question.content,
        history=history,
        system_prompt=prompting.in_language(
            release.system_prompt or place.system_prompt, place.language
        ),
        recalled=recalled,
        llm=await providers.chat_model(),
        model=release.model,
        temperature=place.temperature if release.temperature is None else release.temperature,
        max_tokens=release.max_tokens or place.max_tokens,
    )
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Finished):
                return event
    raise ProviderUnavailable("The model ended its answer before it began.")
