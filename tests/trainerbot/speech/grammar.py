"""The ten sentences of a fixed grammar, which an offline engine hears as another says them."""

from pathlib import Path

SENTENCES = (
    "turn on the kitchen light",
    "turn off the music",
    "what is the weather today",
    "play some quiet music",
    "how many people are online",
    "tell me a short story",
    "call my brother tomorrow morning",
    "read the last message again",
    "add apples to the shopping list",
    "show all pictures from london",
)


def write_grammar(path: Path) -> Path:
    """Write the sentences as a JSGF grammar, and return its path."""
    path.write_text(
        f"#JSGF V1.0;\ngrammar orders;\npublic <order> = {' | '.join(SENTENCES)};\n",
        encoding="ascii",
    )
    return path
