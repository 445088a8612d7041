"""Files to import."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest


def row(n: int, **more: object) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": f"Where is room {n}?"},
            {"role": "assistant", "content": f"Room {n} ist im {n}. Stock – gleich links."},
        ],
        **more,
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(*rows: object, name: str = "taught.jsonl") -> Path:
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
