"""What a file would bring: its tokens, its duplicates, what is private in it."""

from collections.abc import Iterator

import pytest

from trainerbot.curation import survey
from trainerbot.formats import Problem, Row
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens import counter


def chat(line: int, question: str, answer: str = "At nine.") -> Row:
    messages = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return Row(line, {"messages": messages}, Kind.CHAT)


def numbered(n_rows: int) -> list[Row]:
    return [chat(n, f"Where is room {n}?", f"On floor {n}.") for n in range(n_rows)]


def surveyed(rows: list[Row], **given: int):
    wanted = {"n_rows": len(rows), "n_bytes": 100 * len(rows), **given}
    return survey(rows, count=counter("o200k_base"), **wanted)


def test_a_small_file_is_counted_whole_and_exactly():
    rows = numbered(12)

    found = surveyed(rows)

    exact = counter("o200k_base").count([row.record for row in rows], Kind.CHAT)
    assert (found.n_rows, found.n_looked_at, found.is_sample) == (12, 12, False)
    assert found.n_tokens == found.tokens.total == sum(exact)


def test_what_repeats_another_row_is_counted_word_for_word_and_nearly():
    long = "When does the library on the market square open on the first Sunday of May"
    rows = [chat(1, f"{long}?"), chat(2, f"{long} ?"), chat(3, f"{long}, please?"), chat(4, "Who?")]

    found = surveyed([*rows, chat(5, f"{long}?")])

    assert (found.n_exact, found.n_near) == (1, 2)


def test_rows_with_something_private_are_counted_with_its_kinds():
    rows = [*numbered(3), chat(9, "Write to ada@example.org or ben@example.org")]

    found = surveyed(rows)

    assert (found.n_private, found.private_kinds) == (1, {"e-mail": 1})


def test_a_large_file_is_sampled_all_over_and_compared_whole():
    rows = numbered(1_000)

    found = surveyed([*rows, *rows], max_rows=100)

    assert (found.n_rows, found.n_looked_at, found.is_sample) == (2_000, 100, True)
    assert found.n_exact == 1_000
    whole = surveyed([*rows, *rows])
    assert found.n_tokens == pytest.approx(whole.n_tokens, rel=0.02)


def test_a_sample_is_not_fooled_by_the_rhythm_of_a_file():
    rows = [chat(n, "Ask ada@example.org" if n % 10 == 0 else f"Room {n}?") for n in range(2_000)]

    found = surveyed(rows, max_rows=200)

    assert 5 <= found.n_private <= 40


def test_rows_of_many_bytes_are_sampled_by_their_size():
    rows = numbered(400)

    assert surveyed(rows, n_bytes=10 * 32 * 2**20).n_looked_at == 40


def test_faulty_rows_do_not_count():
    rows = [*numbered(2), Problem(3, "invalid_json", "Line 3: no JSON.")]

    assert survey(rows, n_rows=2, n_bytes=9, count=counter("o200k_base")).n_rows == 2


def test_no_rows_bring_nothing():
    found = surveyed([])

    assert (found.n_rows, found.n_tokens, found.n_exact, found.n_near) == (0, 0, 0, 0)


def test_whoever_is_told_the_progress_may_stop_it():
    def endless() -> Iterator[Row]:
        n = 0
        while True:
            yield chat(n, f"Where is room {n}?")
            n += 1

    def stop(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey(endless(), n_rows=10**6, n_bytes=10**8, count=counter("o200k_base"), progress=stop)
