#!/usr/bin/env python3
"""Bring a fresh clone to a running system, or to passed tests, with one command.

Every Python since 2.7 can read this file: only so can an old one find a newer
one, or say in a sentence what is missing. The work itself is in bootstrap/.
"""

import os
import subprocess
import sys

OLDEST = (3, 11)
CANDIDATES = [
    ["python3.13"],
    ["python3.12"],
    ["python3.11"],
    ["python3.14"],
    ["python3"],
    ["python"],
]
if os.name == "nt":
    CANDIDATES.insert(0, ["py", "-3"])
IS_NEW_ENOUGH = "import sys; sys.exit(sys.version_info[:2] < " + repr(OLDEST) + ")"


def find_python(candidates):
    """Return the first command that starts a Python new enough, or None.

    Each is really started: a name on PATH may be a shim with nothing behind it.
    """
    for command in candidates:
        with open(os.devnull, "wb") as nowhere:
            try:
                call = command + ["-c", IS_NEW_ENOUGH]  # noqa: RUF005 - Python 2.7 reads this
                if subprocess.call(call, stdout=nowhere, stderr=nowhere) == 0:
                    return command
            except OSError:  # not on PATH
                continue
    return None


def main():
    if sys.version_info[:2] >= OLDEST:
        from bootstrap.command_line import main as start

        return start(sys.argv[1:])
    python = find_python(CANDIDATES)
    if python is None:
        return (
            "TrainerBot needs Python 3.11 or newer; this is "
            + ".".join(str(part) for part in sys.version_info[:3])
            + " and no newer one is on PATH. Install one (python.org, or"
            + " 'apt install python3 python3-venv'), then run this again."
        )
    call = python + [os.path.abspath(__file__)] + sys.argv[1:]  # noqa: RUF005 - as above
    if os.name == "posix":
        os.execvp(call[0], call)
    # Elsewhere exec gives the prompt back while the program still runs.
    return subprocess.call(call)


if __name__ == "__main__":
    sys.exit(main())
