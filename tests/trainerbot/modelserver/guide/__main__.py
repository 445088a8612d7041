"""Runs the examples against a server with SmolLM2, and writes what they print into the page."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.trainerbot.modelserver.guide.page import PAGE, examples, printed, with_outputs
from tests.trainerbot.modelserver.running import RunningServer


def main() -> None:
    """Rewrite the outputs of the page. Takes minutes."""
    page = PAGE.read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    outputs = []
    with (
        tempfile.TemporaryDirectory() as folder,
        RunningServer(Path(folder, "data")) as server,
        contextlib.chdir(folder),
    ):
        os.environ.update(OPENAI_BASE_URL=f"{server.url}/v1", OPENAI_API_KEY=server.key or "")
        for example in examples(page):
            outputs.append(printed(example.code, names))
            sys.stderr.write(f"{example.code}\n{outputs[-1]}\n")
    # Read again: that took minutes, and somebody may have written meanwhile.
    PAGE.write_text(with_outputs(PAGE.read_text(encoding="utf-8"), outputs), encoding="utf-8")


if __name__ == "__main__":
    main()
