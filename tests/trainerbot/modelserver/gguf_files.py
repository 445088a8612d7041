"""The first bytes of GGUF files, for tests that need no weights."""

import struct
from pathlib import Path


def text(value: str) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def write_head(path: Path, *, architecture: str = "llama", context_length: int = 512) -> Path:
    """Write a GGUF file that names its architecture and context, and has no tensors."""
    pairs = [
        text("general.architecture") + struct.pack("<I", 8) + text(architecture),
        text("general.languages") + struct.pack("<IIQ", 9, 8, 1) + text("en"),
        text(f"{architecture}.context_length") + struct.pack("<II", 4, context_length),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 50_000) + text("a"),
    ]
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(pairs))
    return path
