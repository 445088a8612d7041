"""Before an answer: may it be given, by cooldowns and the budgets of a month."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import QuerySet
from django.utils.timezone import now

from dashboard.models import Conversation, DiscordGuild, DiscordUser, Message, Source, Usage
from dashboard.services.budgets.months import key, next_month, this_month
from trainerbot.errors import NotAllowed

if TYPE_CHECKING:
    from dashboard.services.places import Rules

WARN_AT, SAVE_AT, FULL = 0.8, 0.9, 1.0
A_MINUTE_S = 60.0
# A question without an answer that is older was left by a process that was killed.
ANSWERED_WITHIN = timedelta(minutes=10)
OPEN_WAIT_S = 10


class TooFast(NotAllowed):
    """Asked again too soon. retry_after_s: whole seconds until the next question is answered."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class OverBudget(NotAllowed):
    """What a person or a server may use in this month is used up."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A question that may be answered.

    saving: nine tenths of a budget are used, so the cheaper model should answer.
    model: that cheaper model; "" where none is set, or while there is no need.
    warning: a sentence to add to the answer, or "". It is given out once.
    """

    saving: bool = False
    warning: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts where somebody asks. None is no limit; zero lets nobody ask."""

    cooldown_s: float = 0.0
    per_minute: int | None = None
    person_tokens: int | None = None
    person_usd: Decimal | None = None
    guild_tokens: int | None = None
    guild_usd: Decimal | None = None
    saving_model: str = ""

    @property
    def has_budget(self) -> bool:
        budgets = (self.person_tokens, self.person_usd, self.guild_tokens, self.guild_usd)
        return any(budget is not None for budget in budgets)


def limits(rules: Rules, guild: DiscordGuild | None) -> Limits:
    """The limits of a guild, or of direct messages."""
    if guild is None:
        everywhere = rules.everywhere
        return Limits(
            cooldown_s=everywhere.direct_cooldown_s,
            person_tokens=everywhere.direct_tokens,
            person_usd=everywhere.direct_cost_usd,
        )
    row = rules.guilds.get(guild.discord_guild_id)
    if row is None:
        return Limits()
    return Limits(
        cooldown_s=row.user_cooldown_s,
        per_minute=row.guild_per_minute,
        person_tokens=row.user_tokens,
        person_usd=row.user_cost_usd,
        guild_tokens=row.guild_tokens,
        guild_usd=row.guild_cost_usd,
        saving_model=row.saving_model,
    )


def admit(
    *,
    guild: DiscordGuild | None,
    discord_user: DiscordUser,
    rules: Rules,
    question: Message | None = None,
) -> Admission:
    """Let a question be answered now, or raise TooFast or OverBudget in words for the asker.

    question: its row, if it is logged already, so that it does not count
    against itself. Asks the database only for what is limited. Within one
    transaction with the logging of the question, of two at once one waits.
    Whoever calls it answers and audits the denial, outside of that transaction.
    """
    here = limits(rules, guild)
    if here.cooldown_s:
        _check_cooldown(here.cooldown_s, guild, discord_user, question)
    if here.per_minute is not None and guild is not None:
        _check_pace(here.per_minute, guild, question)
    if not here.has_budget:
        return Admission()
    return _check_budgets(here, guild, discord_user, question)


def _answered(question: Message | None) -> QuerySet[Message]:
    """Questions on Discord but this one, without those that were refused or failed.

    A sound that was listened to has cost something, whatever came of it.
    """
    asked = Message.objects.filter(role=Message.Role.USER, source=Source.DISCORD)
    if question is not None:
        asked = asked.exclude(pk=question.pk)
    return asked.exclude(replies__error__gt="", utterance__isnull=True)


def _check_cooldown(
    cooldown_s: float,
    guild: DiscordGuild | None,
    discord_user: DiscordUser,
    question: Message | None,
) -> None:
    moment = now()
    since = moment - timedelta(seconds=cooldown_s)
    talks = Conversation.objects.filter(
        discord_user=discord_user, discord_channel__guild=guild, last_message_at__gt=since
    )
    for talk in talks.values_list("pk", flat=True):
        # The newest of each by the index of its messages, however many there are.
        newest = _answered(question).filter(conversation=talk).order_by("-pk")
        last = newest.values_list("created_at", flat=True).first()
        if last is not None and last > since:
            wait_s = _whole(cooldown_s - (moment - last).total_seconds())
            raise TooFast(f"One moment, please: you may ask again in {wait_s} s.", wait_s)


def _check_pace(per_minute: int, guild: DiscordGuild, question: Message | None) -> None:
    if per_minute == 0:
        raise TooFast("The admins of this server let nobody ask at the moment.", 60)
    moment = now()
    recent = _answered(question).filter(created_at__gt=moment - timedelta(seconds=A_MINUTE_S))
    # The guild is looked at here: asked for it, SQLite would read all that was ever said there.
    asked = recent.order_by("-created_at").values_list(
        "created_at", "conversation__discord_channel__guild"
    )
    here = [then for then, guild_id in asked if guild_id == guild.pk]
    if len(here) >= per_minute:
        # The one that has to be a minute old before there is room for another.
        wait_s = _whole(A_MINUTE_S - (moment - here[per_minute - 1]).total_seconds())
        raise TooFast(
            "This server asks me more than its admins allow in a minute. "
            f"Please ask again in {wait_s} s.",
            wait_s,
        )


def check_open(
    *, guild: DiscordGuild | None, discord_user: DiscordUser | None, rules: Rules
) -> None:
    """Raise OverBudget where a budget is used up. Warns nobody, and counts nothing.

    For what costs before it is known whether it is a question. discord_user:
    None for somebody who never asked anything.
    """
    here = limits(rules, guild)
    if here.has_budget:
        _used(here, guild, discord_user)


@dataclass(frozen=True, slots=True)
class _Used:
    """How much of both budgets is used, in rows and as shares of the tighter limits."""

    person: Usage | None
    server: Usage | None
    of_person: float
    of_server: float


def _used(here: Limits, guild: DiscordGuild | None, discord_user: DiscordUser | None) -> _Used:
    """How much is used this month. Raises OverBudget where that is all."""
    month = this_month()
    guild_pk = guild.pk if guild else None
    person_key = key(month, guild_pk, discord_user.pk) if discord_user else ""
    guild_key = key(month, guild_pk) if guild_pk is not None else ""
    rows = {row.key: row for row in Usage.objects.filter(key__in=[person_key, guild_key])}
    person, server = rows.get(person_key), rows.get(guild_key)
    of_person = used_share(person, here.person_tokens, here.person_usd)
    of_server = used_share(server, here.guild_tokens, here.guild_usd)
    opens = next_month(month)
    again = f"{opens.day} {opens:%B}"
    if of_server >= FULL:
        raise OverBudget(
            f"Sorry, this server has used up its budget for {month:%B}. I answer again on {again}."
        )
    if of_person >= FULL:
        raise OverBudget(
            f"Sorry, you have used up your budget for {month:%B}. I answer you again on {again}."
        )
    return _Used(person, server, of_person, of_server)


def _check_budgets(
    here: Limits,
    guild: DiscordGuild | None,
    discord_user: DiscordUser,
    question: Message | None,
) -> Admission:
    month, used = this_month(), _used(here, guild, discord_user)
    _check_pending(here, used.person, used.server, question)
    saving = max(used.of_person, used.of_server) >= SAVE_AT
    return Admission(
        saving=saving,
        warning=" ".join(
            f"{who} used {_percent(share)} % of the budget for {month:%B}."
            for row, share, who in (
                (used.person, used.of_person, "You have"),
                (used.server, used.of_server, "This server has"),
            )
            if row is not None and share >= WARN_AT and _is_first_warning(row)
        ),
        model=here.saving_model if saving else "",
    )


def _check_pending(
    here: Limits, person: Usage | None, server: Usage | None, question: Message | None
) -> None:
    """Raise TooFast where the answers that are being made may use up what is left.

    Of each the month's average is expected. Else all who ask at once would be
    let in by what was left before the first of them.
    """
    counted = [row for row in (person, server) if row is not None and row.n_answers]
    if not counted:
        return
    unanswered = Message.objects.filter(
        role=Message.Role.USER,
        source=Source.DISCORD,
        created_at__gt=now() - ANSWERED_WITHIN,
        replies=None,
    )
    if question is not None:
        unanswered = unanswered.exclude(pk=question.pk)
    # As in `_check_pace`, the guild is looked at here.
    waiting: list[tuple[int | None, int | None]] = list(
        unanswered.values_list("conversation__discord_user", "conversation__discord_channel__guild")
    )
    for row in counted:
        if row is person:
            n_open = waiting.count((row.discord_user_id, row.guild_id))
            expected = used_share(row, here.person_tokens, here.person_usd, n_open=n_open)
            whose = "your budget"
        else:
            n_open = sum(guild_id == row.guild_id for _, guild_id in waiting)
            expected = used_share(row, here.guild_tokens, here.guild_usd, n_open=n_open)
            whose = "the budget of this server"
        if n_open and expected >= FULL:
            raise TooFast(
                f"One moment, please: what I am answering just now may use up the rest of {whose}. "
                f"Ask again in {OPEN_WAIT_S} s.",
                OPEN_WAIT_S,
            )


def used_share(
    row: Usage | None, tokens: int | None, usd: Decimal | None, *, n_open: int = 0
) -> float:
    """How much of the tighter of two budgets is used; 1 or more is all of it, 0 if there is none.

    n_open: so many answers are being made, each expected to take the average of `row`.
    """
    grows = 1 + n_open / row.n_answers if row and row.n_answers else 1.0
    shares = [0.0]
    if tokens is not None:
        shares.append((row.n_tokens if row else 0) / tokens * grows if tokens else FULL)
    if usd is not None:
        shares.append(float((row.cost_usd if row else 0) / usd) * grows if usd else FULL)
    return max(shares)


def _is_first_warning(row: Usage) -> bool:
    """Whether this caller, of all, is the one to warn in this month."""
    if row.warned_at is not None:
        return False
    return bool(Usage.objects.filter(pk=row.pk, warned_at=None).update(warned_at=now()))


def _percent(share: float) -> int:
    return math.floor(share * 100 + 1e-9)


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
