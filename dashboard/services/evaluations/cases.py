"""What a model is asked about a row: the messages that training would show it, without the answer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Length

from dashboard.models import DatasetVersion, Example
from dashboard.services import datasets
from trainerbot.errors import InvalidInput
from trainerbot.formats import labels as words
from trainerbot.formats.rows import Kind
from trainerbot.messages import ChatMessage, Role

MAX_LABELS: Final = 200
MAX_LABEL: Final = 100  # characters, as rows keep them
MAX_ANSWERS: Final = 20  # of conversations: with more different ones they are no labels
GLANCED_AT: Final = 200  # rows
ORIGINAL: Final = (words.POSITIVE, words.NEGATIVE)  # the two classes of the original bot


@dataclass(frozen=True, slots=True)
class Case:
    """One text to classify; the last of `messages` holds it."""

    messages: tuple[ChatMessage, ...]

    def cut(self, n_characters: int) -> "Case":
        """Return the case with no more than the first `n_characters` of its text."""
        last = self.messages[-1]
        return Case((*self.messages[:-1], replace(last, content=last.content[:n_characters])))

    @property
    def n_characters(self) -> int:
        return len(self.messages[-1].content)


def case_of(
    record: dict[str, Any], kind: Kind, *, labels: Sequence[str], instruction: str = ""
) -> Case:
    """Return what is asked about a record: what training shows of it, but the answer.

    `instruction` takes the place of its system message. A conversation without
    one is told the labels, since few models would guess them.
    """
    if kind is Kind.LABELLED:
        asked = [ChatMessage(Role.USER, record["text"])]
    else:
        rows = record["messages"]
        asked = [
            ChatMessage(Role(row["role"]), _text(row.get("content")))
            for row in rows[: _last_answer(rows)]
        ]
    told = asked[0].role in (Role.SYSTEM, Role.DEVELOPER) if asked else False
    if instruction or not told:
        system = ChatMessage(Role.SYSTEM, instruction or words.instruction(labels))
        asked = [system, *asked[told:]]
    if asked[-1].role is not Role.USER:
        raise InvalidInput("There is no text in it to be classified.")
    return Case(tuple(asked))


def testable() -> QuerySet[DatasetVersion]:
    """The versions with labels to choose from, newest first, as far as their first rows tell.

    Texts with labels, and conversations whose answers are few and short.
    `labels_of` looks at all rows.
    """
    rows = Example.objects.filter(version=OuterRef("pk"), removed_by=None)
    first = rows.filter(position__lt=GLANCED_AT).order_by()
    odd = first.alias(length=Length("answer")).filter(Q(length=0) | Q(length__gt=MAX_LABEL))
    answers = first.values("version").annotate(n=Count("answer", distinct=True)).values("n")
    labelled = Q(kind=Kind.LABELLED.value) & Exists(rows.exclude(label=""))
    told = Q(kind=Kind.CHAT.value, n_answers__range=(1, MAX_ANSWERS)) & ~Exists(odd)
    found: QuerySet[DatasetVersion] = DatasetVersion.objects.filter(dataset__archived_at=None)
    found = found.annotate(n_answers=Subquery(answers)).filter(labelled | told)
    return found.select_related("dataset").order_by("-pk")


def labels_of(version: DatasetVersion) -> list[str]:
    """Return the labels of a version that can be tested, in the order that training names them.

    Conversations can be when all their answers are a few short words. Raises
    InvalidInput, in words, for any other.
    """
    match Kind(version.kind):
        case Kind.LABELLED:
            labels = datasets.label_names(version)
            if len(labels) > MAX_LABELS:
                raise InvalidInput(
                    f"{version} has {len(labels):,} labels. A test takes {MAX_LABELS} at most."
                )
        case Kind.CHAT:
            labels = _answers(version)
        case kind:
            raise InvalidInput(
                f"{version} holds {kind} rows, which have no labels. Choose a labelled dataset."
            )
    return labels


def choices(version: DatasetVersion, named: Sequence[str]) -> list[str]:
    """Return the labels to choose from: those of the version, or those that a person named.

    Raises InvalidInput when a label of the data is not among them, or when
    there is nothing to choose.
    """
    found = labels_of(version)
    if not named and len(found) == 1 and found[0] in ORIGINAL:
        return list(ORIGINAL)
    chosen = list(dict.fromkeys(named)) or found
    missing = [label for label in found if label not in chosen]
    if missing:
        raise InvalidInput(
            f"{version} also has the label {missing[0]!r}. Name every label of the data."
        )
    check(chosen)
    return chosen


def instruction_of(version: DatasetVersion, labels: Sequence[str]) -> str:
    """Return what a model is told before the first text of `version`."""
    example = version.examples.kept().order_by("position").first()
    if example is None:
        return words.instruction(labels)
    return case_of(example.record, Kind(version.kind), labels=labels).messages[0].content


def check(labels: Sequence[str]) -> None:
    """Raise InvalidInput unless a model can choose among `labels`."""
    if len(labels) < 2:
        only = f"The only label is {labels[0]!r}" if labels else "There is no label"
        raise InvalidInput(f"{only}. Name at least two to choose from.")
    if len(labels) > MAX_LABELS:
        raise InvalidInput(f"A test takes {MAX_LABELS} labels at most.")
    if any(not label.strip() or len(label) > MAX_LABEL for label in labels):
        raise InvalidInput(f"A label has 1 to {MAX_LABEL} characters.")


def _answers(version: DatasetVersion) -> list[str]:
    rows = version.examples.kept().order_by().values_list("answer", flat=True).distinct()
    found = sorted(rows[: MAX_ANSWERS + 1])
    if len(found) > MAX_ANSWERS or any(not 0 < len(each) <= MAX_LABEL for each in found):
        raise InvalidInput(
            f"The answers of {version} are no labels: more than {MAX_ANSWERS} different ones, or "
            f"longer than {MAX_LABEL} characters. Choose a labelled dataset."
        )
    return found


def _last_answer(rows: Sequence[dict[str, Any]]) -> int:
    """Return where the answer stands that training would teach."""
    for index in range(len(rows) - 1, -1, -1):
        if rows[index]["role"] == Role.ASSISTANT:
            return index
    return len(rows)


def _text(content: Any) -> str:
    """Return the words of a message, whose content is a text or a list of parts."""
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""
