"""Suites by name: made of a file or of a held-out part, found, and what a person may name."""

from collections.abc import Iterator
from typing import Final

from django.db import IntegrityError, transaction

from dashboard.models import Correction, DatasetVersion, DiscordGuild, Suite, SuiteVersion
from dashboard.services import datasets, storage
from dashboard.services.access import Person
from dashboard.services.suites import uploads
from dashboard.services.suites.content import MAX_CASES, Content, make_version
from dashboard.services.suites.everyday import NAME as EVERYDAY
from dashboard.services.suites.records import content_of
from dashboard.services.suites.taught import NAME, Actor, corrections_suite
from trainerbot.curation import PARTS
from trainerbot.errors import Conflict, InvalidInput, NotFound
from trainerbot.formats.rows import Kind

MAX_NAME: Final = 120
CORRECTIONS: Final = "corrections"


def upload(*, name: str, data: bytes, filename: str, actor: Actor) -> SuiteVersion:
    """Make a suite of a file, or the next version of the uploaded suite of that name.

    Raises InvalidInput, naming the line at fault, and Conflict where another
    kind of suite has the name.
    """
    contents = uploads.read(data, filename=filename)
    with transaction.atomic():
        suite = _named(name, Suite.Kind.UPLOADED, actor)
        return make_version(suite, contents, actor=actor, filename=filename)


def from_split(*, source: DatasetVersion, part: str, name: str = "", actor: Actor) -> SuiteVersion:
    """Make a suite of one part of a split, or its next version. The version has to be frozen.

    Raises InvalidInput where there is no such part, or rows that cannot be asked.
    """
    if part not in PARTS:
        raise InvalidInput(f"There is no part {part!r}. The parts are {', '.join(PARTS)}.")
    if source.is_draft:
        raise InvalidInput(f"{source} is a draft. Freeze it first, so that its rows stay.")
    contents = list(_of_part(source, part))
    with transaction.atomic():
        suite = _named(name or f"{source.dataset.name} · {part}", Suite.Kind.SPLIT, actor)
        return make_version(suite, contents, actor=actor, source=source, part=part)


def resolve(name: str, *, number: int | None = None, actor: Actor = None) -> SuiteVersion:
    """The version that a person means: "corrections", "corrections:GUILD", or a suite's name.

    GUILD is Discord's id or our number of a server. Of corrections a new
    version is made if they changed. number: an older one. Raises NotFound.
    """
    kind, _, guild = name.partition(":")
    if kind.strip().lower() == NAME.lower() and number is None:
        return corrections_suite(_guild(guild.strip()) if guild else None, actor=actor)
    suite = Suite.objects.filter(name__iexact=" ".join(name.split())).first()
    if suite is None:
        known = ", ".join(Suite.objects.order_by("name").values_list("name", flat=True)[:10])
        raise NotFound(f"There is no suite {name!r}. " + (f"There are: {known}." if known else ""))
    if suite.kind == Suite.Kind.CORRECTIONS and number is None:
        return corrections_suite(suite.guild, actor=actor)
    found = suite.latest() if number is None else suite.versions.filter(number=number).first()
    if found is None:
        raise NotFound(f"{suite} has no version {number}.")
    return found


def choices() -> list[tuple[str, str]]:
    """What a person may run: (value, words) for `chosen`. Corrections as they are now come first."""
    taught = Correction.objects.approved()
    found = []
    if taught.filter(guild=None).exists():
        found.append((CORRECTIONS, f"{NAME} in force everywhere"))
    own = DiscordGuild.objects.filter(pk__in=taught.order_by().values("guild").distinct())
    found += [(f"{CORRECTIONS}:{each.pk}", f"{NAME} of {each.name}") for each in own]
    others = Suite.objects.exclude(kind=Suite.Kind.CORRECTIONS).order_by("name")
    return found + [(f"suite:{each.pk}", each.name) for each in others]


def chosen(value: str, *, actor: Actor) -> SuiteVersion:
    """The version that a value of `choices` means; of corrections one of all that is in force now.

    Also "version:" with a version's id, whatever came after it. Raises NotFound.
    """
    kind, _, told = value.partition(":")
    number = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else 0
    found: SuiteVersion | None = None
    match kind:
        case "corrections":
            guild = DiscordGuild.objects.filter(pk=number).first()
            if told and guild is None:
                raise NotFound("There is no such server.")
            return corrections_suite(guild, actor=actor)
        case "suite":
            suite = Suite.objects.filter(pk=number).first()
            found = suite.latest() if suite else None
        case "version":
            found = SuiteVersion.objects.filter(pk=number).first()
    if found is None:
        raise NotFound("There is no such suite.")
    return get(found.pk)


def standing(value: str) -> SuiteVersion | None:
    """The newest version there is of what a value of `choices` means; none is made."""
    kind, _, told = value.partition(":")
    number = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else None
    rows = SuiteVersion.objects.order_by("-pk")
    match kind:
        case "corrections":
            of = rows.filter(suite__kind=Suite.Kind.CORRECTIONS)
            return of.filter(suite__guild=number).first()
        case "suite":
            return rows.filter(suite=number).first()
        case "version":
            return rows.filter(pk=number or 0).first()
    return None


def get(pk: int) -> SuiteVersion:
    found = SuiteVersion.objects.select_related("suite__guild", "source__dataset").filter(pk=pk)
    version = found.first()
    if version is None:
        raise NotFound("There is no such version of a suite.")
    return version


def _named(name: str, kind: str, actor: Actor) -> Suite:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidInput(f"The name of a suite has 1 to {MAX_NAME} letters, digits and signs.")
    storage.check_text(name, what="The name")
    if name.lower().startswith(NAME.lower()):
        raise InvalidInput(f"Names that begin with {NAME} are kept for what people taught.")
    if name.lower() == EVERYDAY.lower():
        raise InvalidInput(f"The name {EVERYDAY} is kept for our own questions. Choose another.")
    suite = Suite.objects.filter(name__iexact=name).first()
    if suite is None:
        try:
            with transaction.atomic():
                return Suite.objects.create(
                    name=name,
                    kind=kind,
                    created_by=actor.user if isinstance(actor, Person) else actor,
                )
        except IntegrityError:
            suite = Suite.objects.get(name=name)
    if suite.kind != kind:
        raise Conflict(f"There is a suite {suite.name} of another kind. Choose another name.")
    return suite


def _of_part(source: DatasetVersion, part: str) -> Iterator[Content]:
    rows = source.examples.kept(part=part).order_by("position")
    n_rows = rows.count()
    if not n_rows:
        raise InvalidInput(f"The part {part} of {source} has no rows. Split the dataset first.")
    if n_rows > MAX_CASES:
        raise InvalidInput(
            f"The part {part} has {n_rows:,} rows; a suite has {MAX_CASES:,} at most. Split off "
            "a smaller part."
        )
    kind = Kind(source.kind)
    labels = datasets.label_names(source) if kind is Kind.LABELLED else []
    for row in rows.iterator(chunk_size=500):
        try:
            yield content_of(row.record, kind, labels=labels, example_id=row.pk)
        except InvalidInput as error:
            raise InvalidInput(f"Line {row.line} of {source} is no case: {error}.") from error


def _guild(told: str) -> DiscordGuild:
    number = int(told) if told.isascii() and told.isdecimal() and len(told) < 19 else 0
    found = (
        DiscordGuild.objects.filter(discord_guild_id=number).first()
        or DiscordGuild.objects.filter(pk=number).first()
    )
    if found is None:
        raise NotFound(f"There is no server {told!r}.")
    return found
