"""Proposals, the cards that show them, and the bot hearing of both."""

import asyncio

from dashboard.models import Correction, OutboxEvent
from dashboard.services import corrections
from tests.botrunner.talking import answered, rows


async def hear(env, topic: str = corrections.TOPIC) -> None:
    """Let the bot hear of what changed, as it does from the outbox."""
    event = (await rows(OutboxEvent.objects.filter(topic=topic).order_by("-pk")))[0]
    env.bot.dispatch("outbox", event)
    # simcord waits for what Discord's events set off; this one is ours.
    await asyncio.gather(
        *(each for each in asyncio.all_tasks() if each.get_name() == "discord.py: on_outbox")
    )
    await env.settle()


async def proposed(env, channel, ada, words: str = "At nine.", **kwargs):
    """An answer that ada has corrected, of which the bot has heard."""
    message, answer = await answered(env, channel, ada, **kwargs)
    await ada.send(channel, f"!correct {message.id} {words}")
    await hear(env)
    return message, answer, (await rows(Correction.objects.order_by("-pk")))[0]


def card_of(desk):
    [card] = [each for each in desk.history() if each.author.bot]
    return card


def button(act: str, correction: Correction) -> str:
    return f"correction:{act}:{correction.pk}:{correction.revision}"


async def state_of(correction: Correction) -> str:
    return (await rows(Correction.objects.filter(pk=correction.pk)))[0].state
