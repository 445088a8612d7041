"""Runs schemathesis with the description beside this file against a seeded server.

`python describe.py SCHEMATHESIS [OPTIONS...]`, where the first is its program.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from description import description
from running import KEYS, SeededServer

CHECKS = "not_a_server_error,response_schema_conformance,content_type_conformance"


def main(program: str, *options: str) -> int:
    """Return schemathesis' exit code: 0 when it found nothing."""
    server = SeededServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "openapi.json"
            path.write_text(json.dumps(description()), encoding="utf-8")
            command = [program, "run", str(path), "--url", server.url, "--checks", CHECKS]
            command += ["--header", f"Authorization: Bearer {KEYS[0]}", "--workers", "1"]
            command += ["--phases", "examples,fuzzing", "--seed", "1", *options]
            return subprocess.run(command, cwd=folder, check=False).returncode
    finally:
        server.end()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
