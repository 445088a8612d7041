"""The fast way over many lines and the exact way over one say the same."""

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.errors import TrainerBotError
from trainerbot.formats import ChatExample, Problem, check, check_chat_jsonl, read_chat_jsonl
from trainerbot.formats.blocks import BLOCK_BYTES, Gap, read_blocks
from trainerbot.formats.chat import examine
from trainerbot.formats.jsonl import MAX_LINE_BYTES, Line, read_lines
from trainerbot.formats.plain import is_plain, sift
from trainerbot.formats.targets import TARGETS

ASK = {"role": "user", "content": "hi"}
ANSWER = {"role": "assistant", "content": "HI!"}
ROW = json.dumps({"messages": [ASK, ANSWER]}).encode()

texts = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["", " ", "\u3000", "\\", '"', 'a\\"', "\0", "\ud83d", "{}\n", '","role":"x']),
)
roles = st.sampled_from(["user", "assistant", "system", "developer", "tool", "User", "", 3])
messages = st.fixed_dictionaries(
    {},
    optional={"role": roles, "content": texts, "weight": st.sampled_from([0, 1, True, 0.5])},
)
plain_messages = st.builds(
    lambda role, content: {"role": role, "content": content},
    st.sampled_from(["user", "assistant", "system"]),
    texts,
)
records = st.builds(
    lambda messages, more: {"messages": messages, **more},
    st.lists(plain_messages | messages, max_size=4),
    st.dictionaries(st.sampled_from(["tools", "metadata", "x"]), st.none(), max_size=1),
)


@st.composite
def raw_lines(draw: st.DrawFn) -> bytes:
    """A row as programs write it, mostly with something wrong in its bytes."""
    record = draw(records)
    line = json.dumps(
        record,
        ensure_ascii=draw(st.booleans()),
        separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")])),
    ).encode("utf-8", errors="surrogatepass")
    for _ in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(line)))
        end = draw(st.integers(start, min(start + 30, len(line))))
        piece = draw(
            st.sampled_from(
                [
                    b"",
                    b"\n",
                    b"\r\n",
                    b'"',
                    b"\\",
                    b"\xff",
                    b'"role":"user",',
                    b'"content":"",',
                    b'"messages":[],',
                    b"\\u0000",
                    b"\\ud800",
                    b"\t",
                    b"\x0b",
                    b"\x1c",
                    b"}",
                    b"{",
                ]
            )
            | st.just(line[start:end] * 2)
            | st.binary(max_size=3)
        )
        line = line[:start] + piece + line[end:]
    return line


blocks = st.lists(raw_lines() | st.just(ROW) | st.just(b""), max_size=12).map(b"\n".join)


@settings(deadline=None, max_examples=200)
@given(blocks)
def test_a_sifted_block_leaves_out_no_line_that_the_exact_way_complains_of(block):
    sifted = sift(block, 7, max_plain_bytes=2**20)

    exact = [Line(7 + i, raw.strip()) for i, raw in enumerate(io.BytesIO(block)) if raw.strip()]
    assert sifted.n_lines == len(list(io.BytesIO(block)))
    assert sifted.n_plain + len(sifted.odd) == len(exact)
    assert [line for line in exact if line not in sifted.odd and examine(line)[1]] == []
    assert sifted.odd == [line for line in exact if not is_plain(line.raw)]


@settings(deadline=None, max_examples=200)
@given(raw_lines())
def test_a_plain_row_is_one_of_which_the_exact_way_says_nothing(raw):
    if is_plain(raw):
        record, problems = examine(Line(1, raw))

        assert problems == []
        assert record == json.loads(raw)


@settings(deadline=None, max_examples=100)
@given(blocks)
def test_checking_and_reading_a_file_say_the_same(tmp_path_factory, block):
    path = tmp_path_factory.mktemp("same") / "rows.jsonl"
    path.write_bytes(block)

    read = list(read_chat_jsonl(path))
    report = check_chat_jsonl(path, max_bytes=2**20, min_examples=0)

    assert list(report.problems) == [each for each in read if isinstance(each, Problem)]
    assert report.n_examples == sum(isinstance(each, ChatExample) for each in read)


@settings(deadline=None, max_examples=50)
@given(st.binary(max_size=300) | blocks, st.sampled_from(sorted(TARGETS)))
def test_checking_raises_nothing_but_our_own_errors(tmp_path_factory, content, target):
    path = tmp_path_factory.mktemp("any") / "rows.jsonl"
    path.write_bytes(content)

    for format in ("chat-jsonl", "dpo-jsonl", "alpaca", "table", "texts"):
        with contextlib.suppress(TrainerBotError):
            report = check(path, format=format, target=target, max_bytes=2**20)
            assert report.n_errors <= report.n_problems


def lines_of(content: bytes) -> list[Any]:
    """What the lines of a file are, told by way of blocks."""
    found: list[Any] = []
    number = 1
    for block in read_blocks(io.BytesIO(content)):
        if isinstance(block, bytes):
            for raw in io.BytesIO(block):
                if raw.strip():
                    found.append(Line(number, raw.strip()))
                number += 1
        else:
            found.append(block if isinstance(block, Problem) else (number, block))
            number += 1
    return found


@pytest.mark.parametrize(
    "content",
    [
        ROW,
        ROW + b"\n",
        b"\xef\xbb\xbf" + ROW,
        b"\n\n" + ROW + b"\r\n \n" + ROW,
        (ROW + b"\n") * 3000,
        ROW + b"\n" + ROW[:-2] + b" " * 3 * BLOCK_BYTES + b"]}\n" + ROW,
        (b" " * 999 + b"\n") * 400 + ROW,
    ],
)
def test_blocks_have_the_lines_of_a_file(content):
    assert lines_of(content) == list(read_lines(io.BytesIO(content)))


@pytest.mark.parametrize("behind", [b"", b"\n", b"\n" + ROW, b"\n" + ROW + b"\n"])
def test_a_line_of_the_greatest_length_comes_and_a_longer_one_does_not(behind):
    before = ROW + b"\n"
    content = before + b" " * (MAX_LINE_BYTES - 1) + b"x" + behind
    longer = before + b" " * MAX_LINE_BYTES + b"x" + behind

    assert [type(each) for each in lines_of(content)][:2] == [Line, Line]
    assert lines_of(longer)[1] == (2, Gap.TOO_LONG)
    assert [each.number for each in lines_of(longer) if isinstance(each, Line)] == (
        [1, 3] if ROW in behind else [1]
    )


def test_a_quote_more_is_seen_beside_texts_that_end_in_a_backslash():
    row = (
        b'{"messages":[{"role":"user","role":"user","content":"a\\\\"},'
        b'{"role":"user","content":"b\\\\"},{"role":"user","content":"c\\\\"},'
        b'{"role":"assistant","content":"d\\\\"}]}'
    )

    (problem,) = examine(Line(1, row))[1]
    assert problem.code == "duplicate_key"
    assert not is_plain(row)
    assert sift(row, 1, max_plain_bytes=999).odd == [Line(1, row)]


def test_a_long_line_is_odd_though_it_is_plain():
    block = b"\n".join([ROW, ROW.replace(b"HI!", b"H" * 500), ROW])

    assert [line.number for line in sift(block, 1, max_plain_bytes=400).odd] == [2]
