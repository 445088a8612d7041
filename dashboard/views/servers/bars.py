"""Budgets as bars: what is used of what there is."""

from dataclasses import dataclass
from decimal import Decimal

from dashboard.models import GuildSettings, Usage
from dashboard.services import budgets
from dashboard.templatetags.presentation import dollars, short_number


@dataclass(frozen=True, slots=True)
class Bar:
    """One budget of this month. share: 0 to 1 and beyond of it is used."""

    label: str
    used: str
    limit: str
    share: float

    @property
    def percent(self) -> int:
        return min(100, round(self.share * 100))

    @property
    def is_full(self) -> bool:
        return self.share >= budgets.FULL

    @property
    def is_near(self) -> bool:
        return self.share >= budgets.WARN_AT

    @property
    def words(self) -> str:
        """What the bot does about it."""
        if self.is_full:
            return "Used up: questions are refused."
        if self.share >= budgets.SAVE_AT:
            return "Nine tenths are used: the cheaper model answers, where one is set."
        return "People are warned." if self.is_near else ""


def bars_of_guild(settings: GuildSettings | None, usage: Usage | None) -> list[Bar]:
    """The budgets of a whole server that are set."""
    if settings is None:
        return []
    return _bars(usage, settings.guild_tokens, settings.guild_cost_usd)


def bars_of_person(settings: GuildSettings | None, usage: Usage) -> list[Bar]:
    """The budgets of one person in a server that are set."""
    if settings is None:
        return []
    return _bars(usage, settings.user_tokens, settings.user_cost_usd)


def _bars(usage: Usage | None, tokens: int | None, usd: Decimal | None) -> list[Bar]:
    n_tokens, cost = (usage.n_tokens, usage.cost_usd) if usage else (0, Decimal(0))
    bars = []
    if tokens is not None:
        share = budgets.used_share(usage, tokens, None)
        bars.append(Bar("Tokens", short_number(n_tokens), short_number(tokens), share))
    if usd is not None:
        share = budgets.used_share(usage, None, usd)
        bars.append(Bar("US dollars", dollars(cost), dollars(usd), share))
    return bars
