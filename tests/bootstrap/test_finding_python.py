"""run.py under whatever Python a machine has."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import run

ROOT = Path(__file__).resolve().parents[2]


def test_a_name_with_nothing_behind_it_is_passed_over(tmp_path):
    shim = tmp_path / "python-shim"
    shim.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    shim.chmod(0o755)

    found = run.find_python([["no-such-python"], [str(shim)], [sys.executable]])

    assert found == [sys.executable]


def test_no_python_at_all_is_none():
    assert run.find_python([["no-such-python"]]) is None


def test_an_old_python_can_read_run_py():
    code = (ROOT / "run.py").read_text(encoding="utf-8")

    ast.parse(code, feature_version=(3, 4))  # no f-strings are checked by it, so:
    assert 'f"' not in code
    assert "print(" not in code


def test_help_names_every_command():
    answer = subprocess.run(
        [sys.executable, "run.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    for command in ("test", "manage", "lock"):
        assert f"python3 run.py {command}" in answer.stdout


def test_a_machine_with_an_old_python_only_is_told_what_to_get(tmp_path):
    shutil.copy(ROOT / "run.py", tmp_path)
    pretend = "import sys; sys.version_info = (3, 8, 18); sys.argv = ['run.py']; "
    pretend += "import run; run.CANDIDATES = [['no-such-python']]; sys.exit(run.main())"

    answer = subprocess.run(
        [sys.executable, "-c", pretend], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("TrainerBot needs Python 3.11 or newer; this is 3.8.18")
    assert answer.stderr.count("\n") == 1
