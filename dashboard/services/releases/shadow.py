"""What another release would have said: asked by the worker, seen on the dashboard alone."""

from __future__ import annotations

import time
from contextlib import aclosing
from datetime import timedelta
from typing import Any, Final

from django.db import transaction
from django.utils.timezone import now

from dashboard.models import ShadowAnswer
from dashboard.services import (
    assistant,
    chat,
    outbox,
    places,
    prices,
    providers,
    routing,
    storage,
    tasks,
)
from dashboard.services.chat import Ready
from dashboard.services.places import Rules
from dashboard.services.releases.aliases import TOPIC
from dashboard.services.routing import SHADOW
from dashboard.services.tasks import Later, Run
from trainerbot.conversation import Finished
from trainerbot.errors import ProviderUnavailable, TrainerBotError

WAIT_S: Final = 30.0
PATIENCE: Final = timedelta(hours=1)


@tasks.handler(SHADOW)
def work(run: Run) -> Later | dict[str, Any]:
    """Ask one shadow what it would have said, and keep it.

    An endpoint that does not answer is asked again for an hour.
    """
    rows = ShadowAnswer.objects.select_related(
        "release__alias",
        "question__conversation__discord_user",
        "question__conversation__discord_channel__guild",
        "question__conversation__discord_channel__parent",
    )
    row = rows.filter(pk=run.args["id"], answer="", error="").first()
    if row is None:
        return {}  # asked before, or its question was erased
    if row.release.alias.shadow_id != row.release_id:
        row.delete()  # stopped meanwhile
        return {}
    ready = _ready(row)
    if ready.recalled.verbatim is not None:
        row.delete()  # somebody taught the answer meanwhile, and no model is asked any more
        return {}
    begun = time.monotonic()
    try:
        finished = providers.ask_at_once(lambda: _ask(ready))
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


def _ready(row: ShadowAnswer) -> Ready:
    """What the release that answered was told, for the shadow: the place, corrections, the talk before."""
    question, release = row.question, row.release
    channel = question.conversation.discord_channel
    if channel is None:
        place = Rules(everywhere=assistant.current()).place(None)
    else:
        guild_id = channel.guild.discord_guild_id if channel.guild else None
        parent = [channel.parent.discord_channel_id] if channel.parent else []
        place = places.rules().place(guild_id, channel.discord_channel_id, *parent)
    return chat.again(question, routing.as_released(place, release))


async def _ask(ready: Ready) -> Finished:
    async with aclosing(chat.run(ready)) as events:
        async for event in events:
            if isinstance(event, Finished):
                return event
    raise ProviderUnavailable("The model ended its answer before it began.")
