"""What is known of a model before it is asked."""

import pytest

from trainerbot.llm import ModelInfo, abilities, by_name


@pytest.mark.parametrize(
    ("details", "context_tokens"),
    [
        ({"context_tokens": 2_048}, 2_048),
        ({"max_model_len": 32_768}, 32_768),
        ({"meta": {"n_ctx_train": 4_096}}, 4_096),
        ({"top_provider": {"context_length": 8_000}}, 8_000),
        ({"loaded_context_length": 4_096, "max_context_length": 131_072}, 4_096),
        ({"context_length": True}, None),
        ({"context_length": "8192"}, None),
        ({"context_length": 1}, None),
        ({}, None),
    ],
)
def test_each_endpoint_tells_in_its_own_words_how_much_a_model_reads(details, context_tokens):
    assert abilities(ModelInfo("small", "", details=details)).context_tokens == context_tokens


@pytest.mark.parametrize(
    ("name", "context_tokens"),
    [
        ("gpt-4o-mini", 128_000),
        ("gpt-4o-mini-2024-07-18", 128_000),
        ("ft:gpt-4o-mini-2024-07-18:acme::abc", 128_000),
        ("openai/gpt-4.1-nano", 1_000_000),
        ("gpt-4", 8_192),
        ("gpt-4-0613", 8_192),
        ("gpt-3.5-turbo-0125", 16_385),
        ("o3-mini", 200_000),
        ("o365-assistant", None),
        ("gpt-oss-20b", None),
        ("llama3.2", None),
        ("", None),
    ],
)
def test_openai_tells_nothing_so_its_names_do(name, context_tokens):
    assert by_name(name).context_tokens == context_tokens


def test_what_an_endpoint_tells_counts_before_the_name():
    row = ModelInfo("gpt-4o", "", details={"max_model_len": 4_096})

    assert abilities(row).context_tokens == 4_096
