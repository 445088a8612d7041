"""Words in examples: the index of them, and what a person looks for in one version."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import connection
from django.db.models import QuerySet

from dashboard.models import DatasetVersion, Example
from dashboard.services import storage
from trainerbot.curation import text_of
from trainerbot.errors import InvalidInput
from trainerbot.formats.rows import Kind

TABLE = "dashboard_example_words"
MAX_WORDS = 8
MAX_CHARACTERS = 200
LOOKED_AT = 5_000
INDEXED = 3  # letters of a beginning, as migration 0005 has it
# As unicode61 cuts words: an underscore parts them.
_WORD = re.compile(r"[^\W_]+")


def add(rows: Iterable[tuple[int, str]]) -> None:
    """Index the words of new examples, as (primary key, text). In the transaction that adds them."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {TABLE}(rowid, words) VALUES (%s, %s)", list(rows))


def forget(rows: Iterable[tuple[int, str]]) -> None:
    """Take examples out of the index; the text must be that which was added."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO {TABLE}({TABLE}, rowid, words) VALUES ('delete', %s, %s)", list(rows)
            )


def words_of(search: str) -> list[str]:
    """The words that are looked for. Raises InvalidInput for a search that is none."""
    if len(search) > MAX_CHARACTERS:
        raise InvalidInput(f"Search for at most {MAX_CHARACTERS} characters.")
    storage.check_text(search, what="The search")
    # A mark that stands beside its letter, as macOS writes file names, is no end of a word.
    words = _WORD.findall(unicodedata.normalize("NFC", search))[:MAX_WORDS]
    if search.strip() and not words:
        raise InvalidInput("The search has no word in it. Use letters or digits.")
    return words


@dataclass(frozen=True, slots=True)
class Search:
    """What somebody looks for in a version: rows that hold all `words`.

    as_beginning: the last word may go on. It may where no row holds it as it
    stands, so that "wor" finds words and "word" does not.
    """

    version: DatasetVersion
    words: Sequence[str]
    as_beginning: bool = False

    @property
    def is_doubtful(self) -> bool:
        """Whether the index finds rows that do not hold it: it knows short beginnings only."""
        return self.as_beginning and len(self.words[-1]) > INDEXED

    def is_said_by(self, row: Example) -> bool:
        text = text_of(row.record, Kind(self.version.kind))
        return says(text, self.words, as_beginning=self.as_beginning)

    def keys(
        self,
        rows: QuerySet[Example],
        *,
        edge: int | None = None,
        rising: bool = True,
        at_most: int = LOOKED_AT,
    ) -> list[int]:
        """What the index finds beyond the position `edge`: primary keys, which rise with positions.

        `rows` narrows them on PostgreSQL only.
        """
        own = Example.objects.filter(version=self.version).order_by("position")
        pks = own.values_list("pk", flat=True)
        first, last = pks.first() or 0, pks.last() or -1
        if edge is not None and rising:
            first = pks.filter(position__gt=edge).first() or last + 1
        elif edge is not None:
            last = pks.filter(position__lt=edge).last() or first - 1
        return holding(
            self.version,
            rows,
            self.words,
            first_pk=first,
            last_pk=last,
            rising=rising,
            as_beginning=self.as_beginning,
            at_most=at_most,
        )


def search(
    version: DatasetVersion, text: str, *, as_beginning: bool | None = None
) -> Search | None:
    """Look for `text` in a version; None where it asks for nothing. Raises as `words_of` does.

    as_beginning: as an earlier search decided it; None decides it now.
    """
    words = words_of(text)
    if not words:
        return None
    exact = Search(version, words)
    if as_beginning is not None:
        return replace(exact, as_beginning=as_beginning)
    # One letter begins nearly everything.
    if len(words[-1]) == 1 or exact.keys(version.examples.all(), at_most=1):
        return exact
    return replace(exact, as_beginning=True)


def says(text: str, words: Sequence[str], *, as_beginning: bool = True) -> bool:
    """Whether a text holds all `words`, the last one maybe as a beginning, as the index would say."""
    said = {_fold(word) for word in _WORD.findall(unicodedata.normalize("NFC", text))}
    wanted = [_fold(word) for word in words]
    if not as_beginning:
        return said.issuperset(wanted)
    *whole, beginning = wanted
    return said.issuperset(whole) and any(word.startswith(beginning) for word in said)


def _fold(word: str) -> str:
    parts = unicodedata.normalize("NFD", word.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def holding(
    version: DatasetVersion,
    rows: QuerySet[Example],
    words: Sequence[str],
    *,
    first_pk: int,
    last_pk: int,
    rising: bool,
    as_beginning: bool = False,
    at_most: int = LOOKED_AT,
) -> list[int]:
    """Keys of a version's examples between two keys that hold all `words`, in the keys' order.

    as_beginning: the last word may go on. The index knows beginnings of up to
    INDEXED letters; whoever asks for a longer one looks with `says` which of
    the rows really hold it. `rows` narrows them on PostgreSQL only, where the
    index and the rows are joined by the database.
    """
    order = "ASC" if rising else "DESC"
    if connection.vendor == "sqlite":
        quoted = [f'"{word}"' for word in words]
        if as_beginning:
            quoted[-1] = f'"{words[-1][:INDEXED]}"*'
        sql = (
            f"SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH %s AND rowid BETWEEN %s AND %s "
            # Two imports at once give their rows keys by turns.
            f"AND EXISTS (SELECT 1 FROM {Example._meta.db_table} AS own "
            f"WHERE own.id = {TABLE}.rowid AND own.version_id = %s) "
            f"ORDER BY rowid {order} LIMIT {at_most}"
        )
        with connection.cursor() as cursor:
            cursor.execute(sql, [" AND ".join(quoted), first_pk, last_pk, version.pk])
            return [pk for (pk,) in cursor.fetchall()]
    query = " & ".join([*words[:-1], words[-1] + (":*" if as_beginning else "")])
    found = rows.filter(pk__range=(first_pk, last_pk)).extra(
        where=[
            "to_tsvector('simple', left(replace(dashboard_example.record::text, '\\n', ' '), "
            "200000)) @@ to_tsquery('simple', %s)"
        ],
        params=[query],
    )
    return list(found.order_by("pk" if rising else "-pk").values_list("pk", flat=True)[:at_most])
