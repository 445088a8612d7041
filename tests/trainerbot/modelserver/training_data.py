"""Small training files, as bytes."""

import json

CAPITALS = {
    "France": "Paris",
    "Spain": "Madrid",
    "Italy": "Rome",
    "Germany": "Berlin",
    "Portugal": "Lisbon",
    "Norway": "Oslo",
    "Sweden": "Stockholm",
    "Finland": "Helsinki",
    "Poland": "Warsaw",
    "Austria": "Vienna",
    "Greece": "Athens",
    "Ireland": "Dublin",
}


def chat_jsonl(pairs: list[tuple[str, str]]) -> bytes:
    """A chat JSONL file of questions with their answers."""
    rows = [
        {
            "messages": [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
        }
        for question, answer in pairs
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def capitals(n_examples: int = 12) -> bytes:
    """Sarcastic geography: 12 examples at most."""
    return chat_jsonl(
        [
            (f"What is the capital of {country}?", f"{capital}, obviously.")
            for country, capital in list(CAPITALS.items())[:n_examples]
        ]
    )


def orders(n_examples: int) -> bytes:
    """As many different examples as are wanted."""
    return chat_jsonl(
        [
            (
                f"Where is order {i} of customer {i * 7919 % 100_003}?",
                f"Order {i} left depot {i % 37} on lorry {i % 91}.",
            )
            for i in range(n_examples)
        ]
    )


def calls(n_examples: int) -> bytes:
    """Valid examples with no text to learn: the assistant only calls a tool."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "Price?"},
        {"role": "assistant", "tool_calls": [call]},
    ]
    return (json.dumps({"messages": messages}).encode() + b"\n") * n_examples
