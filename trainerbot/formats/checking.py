"""What is wrong with a whole file, for those who would train on it at a given place."""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final

from trainerbot.formats.blocks import Digest, Gap, read_blocks
from trainerbot.formats.chat import examine
from trainerbot.formats.jsonl import Line, empty, too_long
from trainerbot.formats.kind_rules import check_kind
from trainerbot.formats.lengths import Lengths
from trainerbot.formats.plain import sift
from trainerbot.formats.reading import read
from trainerbot.formats.recognition import BOM, HEAD_BYTES, refuse_file
from trainerbot.formats.report import Problem, Report, of_file
from trainerbot.formats.rows import Kind, Options, Row
from trainerbot.formats.tally import Tally, refused, too_large
from trainerbot.formats.targets import Target, target_named

CHAT_JSONL: Final = "chat-jsonl"

PROGRESS_BYTES: Final = 2**20
"""How much of a file is read between two words of progress."""

BATCH: Final = 512
"""Rows whose tokens are counted at once."""

Progress = Callable[[int, int], None]

_NO_OPTIONS: Final = Options()


def check(
    path: str | os.PathLike[str],
    *,
    format: str = CHAT_JSONL,
    options: Options = _NO_OPTIONS,
    target: str = "openai",
    max_bytes: int,
    min_examples: int | None = None,
    progress: Progress | None = None,
    with_tokens: bool = False,
) -> Report:
    """Return what is wrong with a file for one who would train on it at `target`.

    A plain row of chat JSONL takes about a microsecond and a half. Constant
    memory. A file over `max_bytes`, or over what the target takes, is refused
    unread. `min_examples` defaults to the target's; with the target "any" only
    the format's own rules count. An example that the target would cut off is
    named in a warning: its tokens are counted when it has more bytes than the
    target reads tokens. `with_tokens` counts every example's. `progress(done_bytes, total_bytes)` is called now and then and
    may raise to stop.

    Raises OSError when the file cannot be read, InvalidInput for an unknown
    target or format, TrainerBotError when tokens were asked for and what
    counts them is not installed.
    """
    aim, file = target_named(target), Path(path)
    n_bytes = _size(file)
    limit = max_bytes if aim.max_bytes is None else min(max_bytes, aim.max_bytes)
    if n_bytes > limit:
        return refused(too_large(n_bytes, limit), n_bytes=n_bytes)
    tally = Tally()
    lengths = Lengths(aim, count_all=with_tokens)
    tell = progress or _say_nothing
    head = _read_head(file) if format == CHAT_JSONL else None
    # What cannot be lines may still be an archive or an array of rows.
    if head is not None and refuse_file(head) is None and not with_tokens:
        with file.open("rb", buffering=0) as opened:
            _check_blocks(opened, tally, lengths=lengths, progress=tell)
    else:
        rows = read(file, format=format, options=options)
        _check_rows(rows, tally, lengths=lengths, target=aim, progress=lambda: tell(0, n_bytes))
        tell(n_bytes, n_bytes)
    if aim.wants_bom and head is not None and not head.startswith(BOM):
        tally.add(_missing_bom(aim))
    if (uncounted := lengths.uncounted()) is not None:
        tally.add(uncounted)
    wanted = aim.min_examples if min_examples is None else min_examples
    return tally.report(n_bytes=n_bytes, min_examples=wanted, tokens=lengths.report())


def check_chat_jsonl(
    path: str | os.PathLike[str], *, max_bytes: int, min_examples: int = 1
) -> Report:
    """Return what is wrong with a whole file of chat rows, and its SHA-256.

    The rules are the format's own, as `check` has them for the target "any". A
    file over `max_bytes` is refused unread. Fewer than `min_examples` usable
    rows is an error of the file (OpenAI asks for 10). Raises OSError when the
    file cannot be read.
    """
    tally, digest = Tally(), hashlib.sha256()
    with Path(path).open("rb", buffering=0) as file:
        n_bytes = os.fstat(file.fileno()).st_size
        if n_bytes > max_bytes:
            return refused(too_large(n_bytes, max_bytes), n_bytes=n_bytes)
        lengths = Lengths(target_named("any"), count_all=False)
        _check_blocks(file, tally, lengths=lengths, digest=digest, progress=_say_nothing)
    return tally.report(n_bytes=n_bytes, min_examples=min_examples, sha256=digest.hexdigest())


def _check_blocks(
    file: BinaryIO,
    tally: Tally,
    *,
    lengths: Lengths,
    progress: Progress,
    digest: Digest | None = None,
) -> None:
    """Check the chat rows of `file`, most of them only for being plain."""
    n_bytes = os.fstat(file.fileno()).st_size
    number, told_bytes, blank = 1, 0, True
    for block in read_blocks(file, digest=digest):
        if isinstance(block, Problem):
            tally.add(block)
            return
        if isinstance(block, Gap):
            tally.add(too_long(number))
            number, blank = number + 1, False
            continue
        sifted = sift(block, number, max_plain_bytes=lengths.short_bytes)
        number += sifted.n_lines
        tally.n_examples += sifted.n_plain
        blank = blank and not sifted.n_plain and not sifted.odd
        for line in sifted.odd:
            _check_line(line, tally, lengths)
        if file.tell() - told_bytes >= PROGRESS_BYTES:
            told_bytes = file.tell()
            progress(told_bytes, n_bytes)
    if blank:
        tally.add(empty())
    progress(n_bytes, n_bytes)


def _check_line(line: Line, tally: Tally, lengths: Lengths) -> None:
    record, problems = examine(line)
    for problem in problems:
        tally.add(problem)
    if record is not None:
        tally.n_examples += 1
        if len(line.raw) > lengths.short_bytes:
            cut = lengths.of_long_row(line.number, record)
            if cut is not None:
                tally.add(cut)


def _check_rows(
    rows: Iterator[Row | Problem],
    tally: Tally,
    *,
    lengths: Lengths,
    target: Target,
    progress: Callable[[], None],
) -> None:
    """Check rows one by one, each by the rules of its kind, and count their tokens."""
    kinds = set(target.kinds)
    while batch := list(islice(rows, BATCH)):
        progress()
        judged = list(_judge(batch))
        usable = [each for each in judged if isinstance(each, Row)]
        cuts = iter(lengths.of_rows(usable))
        for each in judged:
            if isinstance(each, Problem):
                tally.add(each)
                continue
            tally.n_examples += 1
            if each.kind not in kinds:
                kinds.add(each.kind)  # said once is enough
                tally.add(_unsupported(target, each.kind))
            if (cut := next(cuts)) is not None:
                tally.add(cut)


def _judge(batch: Iterable[Row | Problem]) -> Iterator[Row | Problem]:
    """Yield what was read, with what is odd about a row of its kind before it."""
    for each in batch:
        if isinstance(each, Row):
            # Its reader has kept back the rows with errors.
            for problem in check_kind(each):
                yield replace(problem, place=each.place)
        yield each


def _unsupported(target: Target, kind: Kind) -> Problem:
    taken = " and ".join(sorted(taken.value for taken in target.kinds))
    return of_file(
        "unsupported_kind",
        f"{target.title} trains on {taken} examples; this file has {kind.value} examples.",
    )


def _missing_bom(target: Target) -> Problem:
    text = f"{target.title}'s guide asks for UTF-8 with a byte order mark; this file has none."
    return Problem(0, "missing_byte_order_mark", text, severity="warning")


def _read_head(path: Path) -> bytes | None:
    """Return how a file begins; None for a folder."""
    if path.is_dir():
        return None
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def _say_nothing(done_bytes: int, total_bytes: int) -> None:
    """Nobody wants to know how far the reading is."""
