"""How locks are installed: by uv, or by the slower pip where uv cannot be had."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bootstrap import locks
from bootstrap.console import Command, run_tool

CHECK_NETWORK = (
    "Check the network (a mirror is named by UV_DEFAULT_INDEX, or PIP_INDEX_URL for pip) and "
    "the free space on the disk, then run this again."
)


def install(root: Path, python: Path, uv: Path | None, names: Sequence[str]) -> None:
    """Install the locks `names` for `python`; raises ToolFailed. uv takes all else out."""
    if uv is None:
        _install_with_pip(root, python, names)
    else:
        _install_with_uv(root, python, uv, names)


def _install_with_uv(root: Path, python: Path, uv: Path, names: Sequence[str]) -> None:
    wheels_only = [
        option
        for package in locks.pins((root / locks.MODEL).read_text(encoding="utf-8"))
        # A source build of the model's runtime takes many minutes and mostly fails.
        for option in ("--only-binary", package)
    ]
    command: Command = [uv, "pip", "sync", "--python", python, "--require-hashes"]
    run_tool(
        [*command, *wheels_only, *names],
        doing=f"Installing {_what(names)}",
        remedy=CHECK_NETWORK,
        cwd=root,
        environ=settings_for_uv(python),
    )


def _install_with_pip(root: Path, python: Path, names: Sequence[str]) -> None:
    requirements = [option for name in names for option in ("-r", name)]
    command: Command = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    run_tool(
        # The locks name everything, so nothing is left to resolve.
        [*command, "--quiet", "--no-deps", "--require-hashes", *requirements],
        doing=f"Installing {_what(names)} with pip",
        remedy=CHECK_NETWORK,
        cwd=root,
    )


def settings_for_uv(python: Path) -> dict[str, str]:
    """Return pip's package index and folders of wheels for uv, which reads its own settings only."""
    found = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1"}
    knows_index = {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ)
    if not knows_index and (index := setting_of_pip(python, "index-url")):
        found["UV_DEFAULT_INDEX"] = index
    if folders := find_links(python):
        found["UV_FIND_LINKS"] = ",".join(folders)
    return found


def find_links(python: Path) -> list[str]:
    """Return the folders and pages of wheels that uv or pip is told of."""
    if "UV_FIND_LINKS" in os.environ:
        return [each for each in os.environ["UV_FIND_LINKS"].split(",") if each]
    return setting_of_pip(python, "find-links").split()


def setting_of_pip(python: Path, name: str) -> str:
    """Return one of pip's settings, from its variable or its files; empty where it has none."""
    if given := os.environ.get("PIP_" + name.replace("-", "_").upper(), ""):
        return given
    # An environment that uv shares has no pip, but the Python below it may.
    for each in (python, Path(sys.executable)):
        answer = subprocess.run(
            [each, "-m", "pip", "config", "get", f"global.{name}"],
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode == 0:
            return answer.stdout.strip()
    return ""


def _what(names: Sequence[str]) -> str:
    parts = ["what TrainerBot needs"]
    if locks.DEV in names:
        parts.append("the test tools")
    if locks.MODEL in names:
        parts.append("the local language model")
    if locks.TRAIN in names:
        parts.append("what trains")
    return ", ".join(parts[:-1]) + " and " + parts[-1] if parts[1:] else parts[0]
