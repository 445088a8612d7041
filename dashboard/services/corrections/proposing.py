"""Teaching: a better answer to a question, checked and stored to the letter."""

import unicodedata

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.timezone import now

from dashboard.models import Correction, DiscordChannel, DiscordGuild, DiscordUser, Message
from dashboard.services import access, audit, storage
from dashboard.services.access import Permission, Person, Role
from dashboard.services.corrections import places, votes
from dashboard.services.corrections.steps import State, announce, name_of, who
from trainerbot.errors import InvalidInput, NotFound

MAX_CHARACTERS = 32_000
UNNAMED = "a model without a name"
INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})  # of Unicode: controls, formats, spaces
BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0")  # letters and signs that are drawn as nothing
DELETED = "This answer was deleted meanwhile. Teach the right answer directly."


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

    Where several must approve, it waits for the others too; an admin's own words
    count as one review. author_name: who wrote it, where there is no account;
    "command line" for a command. approved: in force at once although there is no
    author with an account. guild, channel: where alone it counts; a channel
    brings its own guild. Everywhere without. Who says the same twice has said it
    once: the correction of before is returned.
    Raises InvalidInput for a correction of nothing, or to nothing, and NotAllowed for
    an author who may not teach, or not there, and NotFound for an answer that was deleted.
    """
    if author is not None:
        access.require(author, Permission.PROPOSE)
    check_question(question)
    check_answer(better_answer)
    if better_answer == rejected_answer:
        raise InvalidInput("The better answer is the same as the old one. Change its words.")
    guild, channel = places.check_place(
        author, places.home_of(message), guild=guild, channel=channel
    )
    user, discord_user = who(author)
    _lock(message, user, discord_user)
    if author is not None:
        # A form sent twice, or an event that Discord delivered twice, is one correction.
        said = Correction.objects.exclude(state=State.REJECTED).filter(
            author=user,
            discord_author=discord_user,
            message=message,
            question=question,
            better_answer=better_answer,
            guild=guild,
            channel=channel,
        )
        if before := said.order_by("pk").first():
            return before
    correction = Correction(
        question=question,
        rejected_answer=rejected_answer,
        better_answer=better_answer,
        message=message,
        guild=guild,
        channel=channel,
        model=(message.model or UNNAMED) if message else "",
        author=user,
        discord_author=discord_user,
        author_name=author_name or name_of(author),
    )
    may_review = author is not None and access.can(author, Permission.REVIEW)
    is_alone = places.reviewers_needed(correction) == 1
    if approved or (may_review and is_alone):
        correction.state = State.APPROVED
        correction.reviewer, correction.discord_reviewer = user, discord_user
        correction.reviewed_at = now()
    correction.save()
    if author is not None and not is_alone and access.role_of(author) is Role.ADMIN:
        votes.cast(correction, author, name=name_of(author), approves=True, note="")
    audit.record(
        author,
        "correction.teach" if correction.state == State.APPROVED else "correction.propose",
        f"correction {correction.pk}",
        name=correction.author_name,
    )
    announce(correction)
    return correction


def propose_for(
    *,
    message: Message,
    better_answer: str,
    author: User | Person | None = None,
    place: places.Place | None = None,
) -> Correction:
    """Correct one logged answer of the bot: its question and its words are taken from the log.

    place: where it counts; None for the server where the answer was given, and
    everywhere for an answer of the Playground or of direct messages. Raises
    InvalidInput for a message that is no answer.
    """
    question = message.reply_to
    if message.role != Message.Role.ASSISTANT or question is None:
        raise InvalidInput("Only an answer of the bot can be corrected.")
    guild, channel = place or (places.home_of(message), None)
    return propose(
        question=question.content,
        better_answer=better_answer,
        rejected_answer=message.content,
        message=message,
        author=author,
        guild=guild,
        channel=channel,
    )


def _lock(message: Message | None, user: User | None, discord_user: DiscordUser | None) -> None:
    """Let nobody say the same at once. Raises NotFound for an answer that is gone by now.

    PostgreSQL needs it; SQLite lets one writer in at a time.
    """
    if message is not None:
        locked = Message.objects.select_for_update().filter(pk=message.pk)
        if not locked.values_list("pk", flat=True).first():
            raise NotFound(DELETED)
    elif user is not None:
        User.objects.select_for_update().filter(pk=user.pk).first()
    elif discord_user is not None:
        DiscordUser.objects.select_for_update().filter(pk=discord_user.pk).first()


def check_question(text: str) -> None:
    """Raise InvalidInput for a question that no correction can be about."""
    _check("question", text)


def check_answer(text: str) -> None:
    """Raise InvalidInput for words that cannot be an answer."""
    _check("better answer", text)


def _check(what: str, text: str) -> None:
    if not text.strip() or all(map(_is_invisible, text)):
        raise InvalidInput(f"The {what} is empty. Write it out.")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput(
            f"The {what} has {len(text):,} characters; {MAX_CHARACTERS:,} is the most."
        )
    storage.check_text(text, what=f"The {what}")


def _is_invisible(character: str) -> bool:
    return character in BLANKS or unicodedata.category(character) in INVISIBLE
