"""How a call looks from outside at this moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from botrunner.voice.capture import Capture
from botrunner.voice.connection import ReceivingClient
from botrunner.voice.hearing import Sight


def sight_of(client: ReceivingClient, capture: Capture | None, people: Sequence[int]) -> Sight:
    """Return what `Hearing` judges by. people: who is there, without bots."""
    channel, me = client.channel, client.channel.guild.me
    voice = me.voice
    return Sight(
        counts={**client.counts, **(capture.counts if capture else {})},
        n_speakers=len(set(client.speakers.values()).intersection(people)),
        n_others=len(people),
        n_begun=client.n_begun,
        is_locked=client.is_locked,
        is_deafened=bool(voice and (voice.deaf or voice.self_deaf)),
        is_muted=bool(voice and voice.mute),
        is_audience=bool(voice and voice.suppress),
        may_speak=channel.permissions_for(me).speak,
    )


def figures_of(
    client: ReceivingClient,
    capture: Capture | None,
    people: Sequence[int],
    speaking: Sequence[int],
) -> dict[str, Any]:
    """Return what the row of a call is told of it."""
    return {
        "speaking": [str(who) for who in speaking],  # too long for JavaScript's numbers
        "people": [str(who) for who in people],
        "is_end_to_end": client.is_end_to_end,
        **dict(sorted(client.counts.items())),
        **(dict(sorted(capture.counts.items())) if capture else {}),
    }
