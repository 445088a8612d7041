"""What a case asks and expects, checked and digested; and versions made of such cases."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.models import DatasetVersion, Judge, Suite, SuiteCase, SuiteVersion
from dashboard.services import audit, storage
from dashboard.services.access import Person
from dashboard.services.suites.news import announce_version
from trainerbot.errors import InvalidInput
from trainerbot.messages import Role

MAX_CASES: Final = 20_000  # of what is uploaded; a run of more is no test any more
MAX_CHARACTERS: Final = 100_000  # of one case
MAX_TAGS: Final = 20
MAX_TAG: Final = 50
MAX_PHRASES: Final = 100
AT_ONCE: Final = 1_000
LEAST: Final = 0.75
"""How alike an answer must be by default; docs/evaluation.md has the figures behind it."""

ERASED: Final = "[erased]"  # what is left of words whose author wants to be forgotten
_ROLES: Final = (Role.USER, Role.ASSISTANT)


@dataclass(frozen=True, slots=True)
class Content:
    """A case before it is a row. history: [{role, content}], oldest first."""

    question: str
    expected: str = ""
    rejected: str = ""
    system: str = ""
    history: list[dict[str, str]] = field(default_factory=list)
    judge: str = Judge.SIMILAR.value
    judge_args: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    correction_id: int | None = None
    guild_id: int | None = None
    channel_id: int | None = None
    example_id: int | None = None

    def digest(self) -> str:
        """SHA-256 of what is asked, where, and how it is judged; the row it came from is left out."""
        told = [
            *(self.system, self.history, self.question, self.expected, self.rejected),
            *(self.judge, self.judge_args, self.tags, self.guild_id, self.channel_id),
        ]
        line = json.dumps(told, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(line.encode()).hexdigest()


def checked_args(judge: str, args: dict[str, Any], *, expected: str) -> dict[str, Any]:
    """Return what a judge needs of `args`, filled in. Raises InvalidInput, in words, for what it cannot use.

    expected: the answer that it will compare with, which some judges need.
    """
    match judge:
        case Judge.TAUGHT | Judge.VERBATIM | Judge.SIMILAR:
            if not expected.strip():
                raise InvalidInput("This judge compares with an expected answer. Write one.")
            return {} if judge == Judge.VERBATIM else {"least": _least(args.get("least", LEAST))}
        case Judge.CONTAINS:
            phrases = _texts(args.get("phrases"), what="phrases") or (
                [expected] if expected.strip() else []
            )
            without = _texts(args.get("without"), what="phrases")
            if not phrases and not without:
                raise InvalidInput("Name a phrase that the answer must contain, or must not.")
            return {"phrases": phrases, "without": without}
        case Judge.LABEL:
            labels = _texts(args.get("labels"), what="labels")
            if len(labels) < 2 or expected not in labels:
                raise InvalidInput("Name two labels or more, the expected one among them.")
            return {"labels": labels}
        case Judge.MODEL:
            rubric = args.get("rubric", "")
            if not isinstance(rubric, str) or len(rubric) > MAX_CHARACTERS:
                raise InvalidInput("The rubric is a text that tells the judge what counts.")
            storage.check_text(rubric, what="The rubric")
            if not rubric.strip() and not expected.strip():
                raise InvalidInput("Give the judge model a rubric, or an expected answer.")
            return {"rubric": rubric.strip()}
        case _:
            raise InvalidInput(f"There is no judge {judge!r}. Use {', '.join(Judge.values)}.")


def check(content: Content, *, where: str) -> None:
    """Raise InvalidInput, in words, unless a case can be asked. where: "Line 3", as it begins."""
    texts = [content.question, content.expected, content.rejected, content.system]
    for turn in content.history:
        if turn.get("role") not in _ROLES or not isinstance(turn.get("content"), str):
            raise InvalidInput(f"{where}: what was said before has the roles user and assistant.")
        texts.append(turn["content"])
    if not content.question.strip():
        raise InvalidInput(f"{where}: the question is empty.")
    if sum(map(len, texts)) > MAX_CHARACTERS:
        raise InvalidInput(f"{where}: a case has {MAX_CHARACTERS:,} characters at most.")
    for text in (*texts, *content.tags):
        storage.check_text(text, what=f"{where}: the case")
    if len(content.tags) > MAX_TAGS or any(not 0 < len(tag) <= MAX_TAG for tag in content.tags):
        raise InvalidInput(f"{where}: a case has {MAX_TAGS} tags of {MAX_TAG} characters at most.")
    try:
        checked_args(content.judge, content.judge_args, expected=content.expected)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error


def make_version(
    suite: Suite,
    contents: Sequence[Content],
    *,
    actor: User | Person | None,
    source: DatasetVersion | None = None,
    part: str = "",
    filename: str = "",
) -> SuiteVersion:
    """Return the newest version if it holds exactly these cases, else a new one, whole at once.

    Raises InvalidInput for no cases, or one that its judge cannot use.
    """
    if not contents:
        raise InvalidInput("There are no cases to test.")
    contents = [
        replace(each, judge_args=checked_args(each.judge, each.judge_args, expected=each.expected))
        for each in contents
    ]
    digests = [content.digest() for content in contents]
    whole = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    with transaction.atomic():
        suite = Suite.objects.select_for_update().get(pk=suite.pk)
        latest = suite.latest()
        if latest is not None and latest.digest == whole:
            return latest
        version = SuiteVersion.objects.create(
            suite=suite,
            number=latest.number + 1 if latest else 1,
            digest=whole,
            n_cases=len(contents),
            source=source,
            part=part,
            filename=filename[:255],
            created_by=actor.user if isinstance(actor, Person) else actor,
        )
        SuiteCase.objects.bulk_create(_rows(version, contents, digests), batch_size=AT_ONCE)
        audit.record(
            actor, "suite.version", f"suite {suite.pk}", version=str(version), n_cases=len(contents)
        )
        announce_version(version.pk)
    return version


def _rows(
    version: SuiteVersion, contents: Sequence[Content], digests: Sequence[str]
) -> Iterable[SuiteCase]:
    for position, (content, digest) in enumerate(zip(contents, digests, strict=True)):
        yield SuiteCase(
            version=version,
            position=position,
            system=content.system,
            history=content.history,
            question=content.question,
            expected=content.expected,
            rejected=content.rejected,
            judge=content.judge,
            judge_args=content.judge_args,
            tags=content.tags,
            correction_id=content.correction_id,
            guild_id=content.guild_id,
            channel_id=content.channel_id,
            example_id=content.example_id,
            digest=digest,
        )


def _least(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise InvalidInput("How alike an answer must be is a number above 0, up to 1.")
    return float(value)


def _texts(value: Any, *, what: str) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InvalidInput(f"The {what} are a list of texts.")
    found = list(dict.fromkeys(each.strip() for each in value if each.strip()))
    if len(found) > MAX_PHRASES:
        raise InvalidInput(f"A case has {MAX_PHRASES} {what} at most.")
    for each in found:
        storage.check_text(each, what=f"One of the {what}")
    return found
