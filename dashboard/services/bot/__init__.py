"""The bot as the rest of the system knows it: who runs it, what it shall do, how it is."""

from dashboard.services.bot.errands import say
from dashboard.services.bot.gateway import commands_are_synced, note_synced_commands, try_identify
from dashboard.services.bot.orders import order, wishes
from dashboard.services.bot.places import NAME, ShardRange, is_of_bot, leave_place, take_place
from dashboard.services.bot.state import Condition, condition

__all__ = [
    "NAME",
    "Condition",
    "ShardRange",
    "commands_are_synced",
    "condition",
    "is_of_bot",
    "leave_place",
    "note_synced_commands",
    "order",
    "say",
    "take_place",
    "try_identify",
    "wishes",
]
