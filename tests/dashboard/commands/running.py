"""Commands as a person runs them: in this process where that will do, else in one of their own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

# Nothing of the machine's own settings may reach the processes of a test.
OURS = ("TRAINERBOT_", "MODELSERVER_", "OPENAI_", "DISCORD_", "DATABASE_URL", "DJANGO_", "CHAT_")


def run(*args: object) -> str:
    """What the command says on stdout."""
    out = io.StringIO()
    call_command(str(args[0]), *map(str, args[1:]), stdout=out, stderr=io.StringIO())
    return out.getvalue()


def rows(*args: object) -> list[Any]:
    """The JSON that the command prints, a value a line."""
    return [json.loads(line) for line in run(*args, "--json").split("\n") if line]


def refusal(*args: object) -> str:
    """The one sentence with which the command fails; its exit code is not 0."""
    with pytest.raises(CommandError) as raised:
        run(*args)
    assert raised.value.returncode
    return str(raised.value)


def write(path: Path, *lines: object, end: str = "\n") -> Path:
    """A JSON-lines file; a line that is text goes in as it is."""
    text = [
        line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines
    ]
    path.write_bytes("".join(line + end for line in text).encode())
    return path


def environ(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "PYTHONUNBUFFERED": "1", **more}


def manage(
    *args: object, env: Mapping[str, str], before: Callable[[], None] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run one command in a process of its own, after `before` ran in it."""
    return subprocess.run(
        [sys.executable, "manage.py", *map(str, args)],
        cwd=settings.BASE_DIR,
        env=dict(env),
        preexec_fn=before,
        text=True,
        capture_output=True,
        timeout=180,
        check=False,
    )
