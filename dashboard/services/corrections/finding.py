"""Corrections looked for: by whoever may see them, and by what they are."""

from dataclasses import dataclass, fields

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from dashboard.models import Correction
from dashboard.services import access, storage
from dashboard.services.access import Permission
from dashboard.services.corrections import places
from trainerbot.errors import InvalidInput, NotFound

LONGEST_SEARCH = 200
ME, NOBODY, DISPUTED = "me", "nobody", "disputed"


@dataclass(frozen=True, slots=True)
class Filter:
    """What somebody looks for; what is empty lets everything through.

    assignee: "me", "nobody" or an account's id. place: as forms spell it, "everywhere"
    for those that count everywhere. author: a part of the name. text: words of the
    question or of either answer. only: "disputed".
    """

    state: str = ""
    assignee: str = ""
    place: str = ""
    author: str = ""
    text: str = ""
    only: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing but a state is asked for."""
        return not any(getattr(self, each.name) for each in fields(self) if each.name != "state")


def visible_to(user: User) -> QuerySet[Correction]:
    """Everybody's corrections for those who may see them, else one's own."""
    rows = Correction.objects.select_related(
        "author",
        "reviewer",
        "discord_reviewer",
        "assignee",
        "guild",
        "channel",
        "message__conversation__discord_channel__guild",
    )
    return rows if access.can(user, Permission.VIEW) else rows.filter(author=user)


def find(user: User, chosen: Filter) -> QuerySet[Correction]:
    """What `user` may see of what was chosen. Raises InvalidInput for a filter that is none."""
    rows = visible_to(user)
    if chosen.state:
        rows = rows.filter(state=chosen.state)
    if chosen.assignee == ME:
        rows = rows.filter(assignee=user)
    elif chosen.assignee == NOBODY:
        rows = rows.filter(assignee=None)
    elif chosen.assignee:
        rows = rows.filter(assignee=_number(chosen.assignee))
    if chosen.place:
        guild, channel = places.read_place(chosen.place)
        rows = rows.filter(guild=guild)
        if channel is not None or guild is None:
            rows = rows.filter(channel=channel)
    if chosen.author:
        rows = rows.filter(author_name__icontains=_searched(chosen.author))
    if chosen.text:
        words = _searched(chosen.text)
        rows = rows.filter(
            Q(question__icontains=words)
            | Q(better_answer__icontains=words)
            | Q(rejected_answer__icontains=words)
        )
    if chosen.only == DISPUTED:
        rows = rows.filter(is_disputed=True)
    return rows


def get(pk: int) -> Correction:
    correction = Correction.objects.select_related("guild", "channel").filter(pk=pk).first()
    if correction is None:
        raise no_such()
    return correction


def no_such() -> NotFound:
    """What is said of a correction that is not there, or not theirs to see."""
    return NotFound("There is no such correction.")


def _searched(text: str) -> str:
    if len(text) > LONGEST_SEARCH:
        raise InvalidInput(f"Search for at most {LONGEST_SEARCH} characters.")
    storage.check_text(text, what="The search")
    return text.strip()


def _number(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    raise InvalidInput("There is no such reviewer. Choose one from the list.")
