"""What is stored about a person on Discord: counted, handed out, erased."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.timezone import now

from dashboard.models import (
    AuditEvent,
    Conversation,
    Correction,
    CorrectionStep,
    CorrectionVote,
    DiscordLink,
    DiscordRequest,
    DiscordUser,
    Feedback,
    GuildSettings,
    Message,
    ShadowAnswer,
    SuiteVote,
    Usage,
    Utterance,
)
from dashboard.services import (
    audit,
    calls,
    consent,
    corrections,
    links,
    outbox,
    speech,
    suites,
    trainings,
)
from trainerbot.errors import NotFound

ANONYMOUS = "someone"
NOTHING = "Nothing is stored about you."


@dataclass(frozen=True, slots=True)
class Stored:
    """How much is stored about one person, by kind.

    since: when the bot first met them. n_utterances: what they said aloud.
    n_audited: entries of the audit log that name them, which stay. account: the one
    on the dashboard that they linked, by name, or "".
    """

    since: datetime
    language: str
    n_conversations: int
    n_messages: int
    n_feedback: int
    n_corrections: int
    n_in_force: int
    n_usage: int
    n_audited: int
    n_utterances: int
    n_recordings: int
    is_heard: bool
    account: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, under a number that the audit log keeps without a name.

    n_kept: corrections in force, or waiting, that stay without the name.
    keeps_usage: this month's counts stay until it is over, since a budget counts with them.
    keeps_refusal: that they do not want to be listened to stays, so that it goes on counting.
    """

    number: str
    n_conversations: int
    n_messages: int
    n_feedback: int
    n_corrections: int
    n_kept: int
    keeps_usage: bool
    n_utterances: int = 0
    n_recordings: int = 0
    keeps_refusal: bool = False


def stored(discord_user_id: int) -> Stored:
    """Count what is stored about a person. Raises NotFound if nothing is."""
    person = _person(discord_user_id)
    taught = Correction.objects.filter(discord_author=person)
    return Stored(
        since=person.first_seen_at,
        language=person.language,
        n_conversations=_conversations(person).count(),
        n_messages=_messages(person).count(),
        n_feedback=Feedback.objects.filter(discord_user=person).count(),
        n_corrections=taught.count(),
        n_in_force=taught.approved().count(),
        n_usage=Usage.objects.filter(discord_user=person).count(),
        n_audited=_audited(discord_user_id).count(),
        n_utterances=_utterances(person).count(),
        n_recordings=_messages(person).exclude(audio="").count(),
        is_heard=person.is_heard,
        account=links.account_of(discord_user_id),
    )


def export(discord_user_id: int) -> str:
    """All that is stored about a person, as JSON. Raises NotFound if nothing is."""
    person = _person(discord_user_id)
    whole = {
        "exported_at": now(),
        "person": {
            "discord_user_id": str(person.discord_user_id),
            "name": person.name,
            "language": person.language,
            "is_heard": person.is_heard,
            "first_seen_at": person.first_seen_at,
        },
        "linked_account": list(
            DiscordLink.objects.filter(discord_user=person).values("user__username", "made_at")
        ),
        "chosen_in_polls": list(
            SuiteVote.objects.filter(
                voter__discord_link__discord_user=person, poll__isnull=False
            )
            .order_by("pk")
            .values("poll_id", "choice", "created_at")
        ),
        "conversations": [_conversation(each) for each in _conversations(person).order_by("pk")],
        "unseen_answers": list(
            ShadowAnswer.objects.filter(question__conversation__discord_user=person)
            .order_by("pk")
            .values("question__content", "answer", "release__model", "created_at")
        ),
        "feedback": list(
            Feedback.objects.filter(discord_user=person)
            .order_by("pk")
            .values("rating", "text", "tone", "created_at", "message__content")
        ),
        "corrections": list(
            Correction.objects.filter(discord_author=person)
            .order_by("pk")
            .values(
                "id", "question", "rejected_answer", "better_answer", "state", "review_note",
                "created_at", "reviewed_at",
            )
        ),
        "votes": list(
            CorrectionVote.objects.filter(discord_user=person)
            .order_by("pk")
            .values("correction_id", "approves", "note", "voted_at")
        ),
        "said_aloud": list(
            _utterances(person)
            .order_by("pk")
            .values(
                "text", "problem", "language", "provider", "duration_ms", "spoken",
                "audio_until", "created_at",
            )
        ),
        "usage": list(
            Usage.objects.filter(discord_user=person)
            .order_by("pk")
            .values(
                "month", "guild__name", "n_answers", "n_tokens", "heard_ms", "n_spoken",
                "cost_usd",
            )
        ),
        "long_commands": list(
            DiscordRequest.objects.filter(discord_user=person)
            .order_by("pk")
            .values("kind", "created_at", "ended_at", "error")
        ),
        "audit_log": list(
            _audited(discord_user_id).order_by("pk").values("action", "target", "created_at")
        ),
    }  # fmt: skip
    return json.dumps(whole, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)


@transaction.atomic
def erase(discord_user_id: int, *, corrections_too: bool) -> Receipt:
    """Delete what is stored about a person, for good.

    corrections_too: those they wrote go as well, and out of force; else those
        stay without their name. Raises NotFound if nothing is stored.
    """
    person = _person(discord_user_id)
    taught = Correction.objects.filter(discord_author=person).count()
    n_recordings = consent.forget_recordings(person)
    receipt = Receipt(
        number=secrets.token_hex(5).upper(),
        n_conversations=_conversations(person).count(),
        n_messages=_messages(person).count(),
        n_feedback=Feedback.objects.filter(discord_user=person).count(),
        n_corrections=taught if corrections_too else 0,
        n_kept=0 if corrections_too else taught,
        keeps_usage=_is_counted(person),
        n_utterances=_utterances(person).count(),
        n_recordings=n_recordings,
        keeps_refusal=not person.is_heard,
    )
    _erase_corrections(person, all_of_them=corrections_too)
    # A correction of an answer to them is somebody else's; no dataset keeps their question.
    asked = Correction.objects.filter(message__conversation__discord_user=person)
    trainings.erase_questions(list(asked.values_list("pk", flat=True)))
    links.forget(person)
    _utterances(person).delete()
    calls.forget_words()
    _conversations(person).delete()
    _erase_requests(person)
    Feedback.objects.filter(discord_user=person).delete()
    # Nobody's name is on what was spoken, so all of it goes.
    transaction.on_commit(speech.forget_spoken)
    if receipt.keeps_usage or receipt.keeps_refusal:
        kept = {"month__lt": _this_month()} if receipt.keeps_usage else {}
        Usage.objects.filter(discord_user=person, **kept).delete()
        DiscordUser.objects.filter(pk=person.pk).update(name="", language="")
    else:
        person.delete()
    counts = asdict(receipt)
    audit.record(
        None,
        "privacy.erase",
        f"receipt {counts.pop('number')}",
        name="a person on Discord",
        **counts,
    )
    return receipt


def forget_leftovers() -> int:
    """Delete what `erase` kept for the budgets of months that are over; how many people's.

    Whoever does not want to be listened to stays, by id alone, for as long as that counts.
    """
    counted = Usage.objects.filter(discord_user=OuterRef("pk"), month__gte=_this_month())
    erased = DiscordUser.objects.filter(~Exists(counted), name="", is_heard=True)
    n_people = erased.count()
    erased.delete()
    return n_people


def _person(discord_user_id: int) -> DiscordUser:
    person = DiscordUser.objects.filter(discord_user_id=discord_user_id).first()
    if person is None or not person.name:
        raise NotFound(NOTHING)
    return person


def _conversations(person: DiscordUser) -> QuerySet[Conversation]:
    return Conversation.objects.filter(discord_user=person)


def _messages(person: DiscordUser) -> QuerySet[Message]:
    return Message.objects.filter(conversation__discord_user=person)


def _utterances(person: DiscordUser) -> QuerySet[Utterance]:
    return Utterance.objects.filter(discord_user=person)


def _audited(discord_user_id: int) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(detail__discord_user_id=discord_user_id)


def _conversation(row: Conversation) -> dict[str, Any]:
    channel = row.discord_channel
    return {
        "server": channel.guild.name if channel and channel.guild else "",
        "channel": channel.name if channel else "",
        "created_at": row.created_at,
        "messages": list(
            row.messages.order_by("pk").values(
                "role", "content", "model", "error", "attachments", "created_at"
            )
        ),
    }


def _erase_corrections(person: DiscordUser, *, all_of_them: bool) -> None:
    _erase_reviews(person)
    # A vote counts for others, too: it stays, as nobody's, or as that of a linked account.
    votes = CorrectionVote.objects.filter(discord_user=person)
    for vote in votes.filter(user__isnull=False).select_related("user"):
        assert vote.user is not None  # as filtered
        vote.name = vote.user.get_username()
        vote.save(update_fields=["name"])
    votes.filter(user=None).update(name=ANONYMOUS)
    votes.update(discord_user=None, note="")
    theirs = Correction.objects.filter(discord_author=person)
    if not all_of_them:
        theirs.update(discord_author=None, author_name=ANONYMOUS)
        return
    ids = list(theirs.values_list("pk", flat=True))
    suites.erase(ids)
    trainings.erase(ids)
    theirs.delete()
    for pk in ids:
        outbox.publish(corrections.TOPIC, "correction.changed", id=pk, state="erased")


def _erase_reviews(person: DiscordUser) -> None:
    """Take the words with which they reviewed; what they decided stays, as nobody's."""
    Correction.objects.filter(discord_reviewer=person).update(discord_reviewer=None, review_note="")
    acts = _audited(person.discord_user_id).filter(action__startswith="correction.")
    known = {detail.get("step") for detail in acts.values_list("detail", flat=True)} - {None}
    theirs = Q(pk__in=known)
    theirs |= Q(before__discord_reviewer_id=person.pk) | Q(after__discord_reviewer_id=person.pk)
    # What their account did remembers the vote of before, which may have been given on Discord.
    with_account = CorrectionStep.objects.filter(
        correction__votes__discord_user=person, user=F("correction__votes__user")
    )
    shared = set(with_account.values_list("pk", flat=True))
    theirs |= Q(pk__in=shared)
    for step in CorrectionStep.objects.filter(theirs):
        for values in (step.before, step.after):
            if values["discord_reviewer_id"] == person.pk:
                values["discord_reviewer_id"], values["review_note"] = None, ""
        if step.pk in known:
            step.note = ""
        if step.pk in known | shared and step.before.get("vote"):
            step.before["vote"]["note"] = ""
        step.save(update_fields=["before", "after", "note"])


def _erase_requests(person: DiscordUser) -> None:
    """Delete their long commands that are over; those under way lose the name."""
    theirs = DiscordRequest.objects.filter(discord_user=person)
    theirs.exclude(told_at=None).delete()
    theirs.update(asker_name=ANONYMOUS)


def _is_counted(person: DiscordUser) -> bool:
    """Whether somebody's budget of this month would begin anew if their counts were deleted."""
    limited = GuildSettings.objects.filter(
        Q(user_tokens__isnull=False) | Q(user_cost_usd__isnull=False)
    ).values("guild")
    used = Usage.objects.filter(discord_user=person, month__gte=_this_month(), guild__in=limited)
    return used.exists()


def _this_month() -> date:
    return now().date().replace(day=1)
