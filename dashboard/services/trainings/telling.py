"""How a training ended, for the review channels of the guilds whose people taught.

A card that is not told is what is left to do, so a bot that was down
meanwhile posts it at its start.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.utils.timezone import now

from dashboard.models import Alias, DiscordGuild, Lesson, Training, TrainingCard, Verdict
from dashboard.services import verdicts
from dashboard.services.trainings.picking import ALL
from dashboard.services.verdicts import Suited

AT_ONCE: Final = 50
NEWS_FOR: Final = timedelta(days=7)  # a channel chosen later is not told of what was long ago


@dataclass(frozen=True, slots=True)
class Ending:
    """A card with what it tells.

    sentence: the verdict's. suites: its figures, by suite. Neither names a suite
    of another guild. aliases: the names under which it could be promoted.
    """

    card: TrainingCard
    training: Training
    channel_id: int
    verdict: Verdict | None
    sentence: str
    suites: list[Suited]
    aliases: list[str]


def guild_ids(training: Training) -> list[int]:
    """Our ids of the guilds that are told: the one it is about, else those whose answers were corrected."""
    if training.guild_id is not None:
        return [training.guild_id]
    lessons = Lesson.objects.filter(training=training, use=Lesson.Use.LEARNED)
    path = "correction__message__conversation__discord_channel__guild"
    found = set(lessons.order_by().values_list(path, flat=True).distinct())
    if training.scope == ALL:
        found |= set(lessons.order_by().values_list("correction__guild", flat=True).distinct())
    known = DiscordGuild.objects.filter(pk__in=[pk for pk in found if pk], left_at=None)
    return list(known.order_by("pk").values_list("pk", flat=True))


def to_tell() -> list[Ending]:
    """Endings that were not posted yet where a guild has a review channel, oldest first."""
    rows = TrainingCard.objects.filter(
        told_at=None,
        training__finished_at__gt=now() - NEWS_FOR,
        guild__settings__review_channel__isnull=False,
    ).select_related(
        "guild__settings__review_channel",
        *("training__verdict", "training__created_by", "training__guild", "training__job"),
    )
    found = []
    aliases = list(Alias.objects.order_by("name").values_list("name", flat=True)[:2])
    for card in rows.order_by("pk")[:AT_ONCE]:
        channel = card.guild.settings.review_channel
        if channel is not None:
            verdict = card.training.verdict
            sentence, figures = verdicts.shown_to(verdict, card.guild) if verdict else ("", [])
            found.append(
                Ending(
                    *(card, card.training, channel.discord_channel_id, verdict),
                    *(sentence, figures, aliases),
                )
            )
    return found


def told(
    card: TrainingCard, *, channel_id: int | None = None, message_id: int | None = None
) -> bool:
    """Note that a card was posted, or that it cannot be; False if that was noted before."""
    waiting = TrainingCard.objects.filter(pk=card.pk, told_at=None)
    return bool(
        waiting.update(told_at=now(), discord_channel_id=channel_id, discord_message_id=message_id)
    )
