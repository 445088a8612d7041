"""Corrections: proposed, reviewed, in force. Words are kept exactly as they were written."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from dashboard.models import Correction, DiscordChannel, DiscordGuild, DiscordUser, Message
from dashboard.services import access, audit, outbox, people, storage
from dashboard.services.access import Permission, Person
from trainerbot.errors import Conflict, InvalidInput, NotFound

MAX_CHARACTERS = 32_000
TOPIC = "corrections"
State = Correction.State


def visible_to(user: User) -> QuerySet[Correction]:
    """Everybody's corrections for those who may see them, else one's own."""
    rows = Correction.objects.select_related("author", "reviewer", "message")
    return rows if access.can(user, Permission.VIEW) else rows.filter(author=user)


def get(pk: int) -> Correction:
    correction = Correction.objects.filter(pk=pk).first()
    if correction is None:
        raise no_such()
    return correction


def no_such() -> NotFound:
    """What is said of a correction that is not there, or not theirs to see."""
    return NotFound("There is no such correction.")


@transaction.atomic
def propose(
    *,
    question: str,
    better_answer: str,
    rejected_answer: str = "",
    message: Message | None = None,
    author: User | Person | None = None,
    author_name: str = "",
    approved: bool = False,
    guild: DiscordGuild | None = None,
    channel: DiscordChannel | None = None,
) -> Correction:
    """Store a better answer. It is in force at once if its author may review, else it waits.

    author_name: who wrote it, where there is no account; "command line" for a command.
    approved: in force at once although there is no author with an account.
    guild, channel: where alone it counts; a channel brings its own guild. Everywhere without.
    Raises InvalidInput for a correction of nothing, or to nothing.
    """
    check_question(question)
    check_answer(better_answer)
    if better_answer == rejected_answer:
        raise InvalidInput("The better answer is the same as the old one. Change its words.")
    in_force = approved or (author is not None and access.can(author, Permission.REVIEW))
    user, discord_user = _rows(author)
    correction = Correction.objects.create(
        question=question,
        rejected_answer=rejected_answer,
        better_answer=better_answer,
        message=message,
        guild=channel.guild if channel else guild,
        channel=channel,
        model=message.model if message else "",
        state=State.APPROVED if in_force else State.PROPOSED,
        author=user,
        discord_author=discord_user,
        author_name=author_name or _name(author),
        reviewer=user if in_force else None,
        discord_reviewer=discord_user if in_force else None,
        reviewed_at=now() if in_force else None,
    )
    audit.record(
        author,
        "correction.teach" if in_force else "correction.propose",
        f"correction {correction.pk}",
        name=correction.author_name,
    )
    _announce(correction)
    return correction


def propose_for(
    *, message: Message, better_answer: str, author: User | Person | None = None
) -> Correction:
    """Correct one logged answer of the bot: its question and its words are taken from the log.

    Raises InvalidInput for a message that is no answer.
    """
    question = message.reply_to
    if message.role != Message.Role.ASSISTANT or question is None:
        raise InvalidInput("Only an answer of the bot can be corrected.")
    return propose(
        question=question.content,
        better_answer=better_answer,
        rejected_answer=message.content,
        message=message,
        author=author,
    )


@transaction.atomic
def approve(
    *, correction: Correction, reviewer: User | Person | None, better_answer: str | None = None
) -> Correction:
    """Put a correction in force, with the reviewer's own words if `better_answer` is given.

    Raises Conflict when another reviewer decided in the meantime.
    """
    if better_answer is not None:
        check_answer(better_answer)
    return _decide(correction, State.APPROVED, reviewer, better_answer=better_answer)


@transaction.atomic
def reject(*, correction: Correction, reviewer: User | Person | None, note: str = "") -> Correction:
    """Turn a proposal down, or take a correction out of force."""
    return _decide(correction, State.REJECTED, reviewer, note=note)


@transaction.atomic
def edit(*, correction: Correction, better_answer: str, editor: User | Person | None) -> Correction:
    """Change the words of a correction without moving it."""
    check_answer(better_answer)
    correction.better_answer = better_answer
    correction.told_at = None
    correction.save(update_fields=["better_answer", "told_at", "updated_at"])
    audit.record(editor, "correction.edit", f"correction {correction.pk}")
    _announce(correction)
    return correction


@transaction.atomic
def move(
    *,
    correction: Correction,
    guild: DiscordGuild | None = None,
    channel: DiscordChannel | None = None,
    editor: User | Person | None,
) -> Correction:
    """Say where alone a correction counts: in a guild, in a channel, or with neither everywhere."""
    correction.guild = channel.guild if channel else guild
    correction.channel = channel
    correction.save(update_fields=["guild", "channel", "updated_at"])
    audit.record(editor, "correction.move", f"correction {correction.pk}")
    _announce(correction)
    return correction


def _decide(
    correction: Correction,
    state: str,
    reviewer: User | Person | None,
    *,
    better_answer: str | None = None,
    note: str = "",
) -> Correction:
    moment = now()
    user, discord_user = _rows(reviewer)
    changes: dict[str, object] = {
        "state": state,
        "reviewer": user,
        "discord_reviewer": discord_user,
        "reviewed_at": moment,
        "updated_at": moment,
        "review_note": note,
        "told_at": None,
    }
    if better_answer is not None:
        changes["better_answer"] = better_answer
    moved = Correction.objects.filter(pk=correction.pk, state=correction.state).update(**changes)
    correction.refresh_from_db()
    if not moved:
        raise Conflict(decided(correction))
    verb = "approve" if state == State.APPROVED else "reject"
    audit.record(reviewer, f"correction.{verb}", f"correction {correction.pk}")
    _announce(correction)
    return correction


def _announce(correction: Correction) -> None:
    outbox.publish(TOPIC, "correction.changed", id=correction.pk, state=correction.state)


def waiting(pk: int) -> Correction:
    """A correction that nobody has decided on. Raises Conflict, which says who has, and NotFound."""
    correction = get(pk)
    if correction.state != State.PROPOSED:
        raise Conflict(decided(correction))
    return correction


def decided(correction: Correction) -> str:
    """Who decided on a correction, and how, in a sentence."""
    who = correction.discord_reviewer or correction.reviewer
    how = "put in force" if correction.state == State.APPROVED else "rejected"
    return f"Correction #{correction.pk} was {how}{f' by {who}' if who else ''} already."


def _rows(person: User | Person | None) -> tuple[User | None, DiscordUser | None]:
    if isinstance(person, Person):
        return person.user, people.on_discord(person)
    return person, None


def _name(author: User | Person | None) -> str:
    if isinstance(author, Person):
        return author.name
    return author.get_username() if author is not None else "command line"


def check_question(text: str) -> None:
    """Raise InvalidInput for a question that no correction can be about."""
    _check("question", text)


def check_answer(text: str) -> None:
    """Raise InvalidInput for words that cannot be an answer."""
    _check("better answer", text)


def _check(what: str, text: str) -> None:
    if not text.strip():
        raise InvalidInput(f"The {what} is empty. Write it out.")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"The {what} has {len(text):,} characters; {MAX_CHARACTERS:,} is the most."
        )
    storage.check_text(text, what=f"The {what}")
