"""The examples of a job of method knn, as its trainer writes and its model reads them."""

import msgspec

# The file that a model of method knn is: its examples.
TUNED = "tuned.jsonl"


class Example(msgspec.Struct, frozen=True):
    """One question with its answer, and the line it stood on."""

    line: int
    question: str
    answer: str


def read_examples(path: str) -> list[Example]:
    """Return the examples of one of our own files: an Example a line."""
    with open(path, "rb") as file:
        decode = msgspec.json.Decoder(Example).decode
        return [decode(line) for line in file]


def write_examples(path: str, examples: list[Example]) -> None:
    """Write one of our own files."""
    with open(path, "wb") as file:
        for example in examples:
            file.write(msgspec.json.encode(example) + b"\n")
