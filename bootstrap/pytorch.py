"""PyTorch for the extra `train`: the one package that no lock holds.

Which build fits, the machine decides: 190 MB for the CPU, several GB with CUDA.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from bootstrap import installing
from bootstrap.console import Command, ToolFailed, run_tool, say

PIN = re.compile(r"^torch\s*==\s*([0-9][^\s;]*)$")
FOR_CPU = "190 MB to fetch, 700 MB on the disk"
FOR_CUDA = "several GB to fetch and twice that on the disk"
NO_PYTORCH = (
    "PyTorch cannot be installed here, so LoRA and DPO fine-tunes are left out.\n"
    "  All else works, the method knn too. If the machine reaches no index that has it, put a\n"
    "  wheel of PyTorch {version} into a folder and name the folder by UV_FIND_LINKS (or\n"
    "  PIP_FIND_LINKS). To try again: python3 run.py --with train"
)
_TELL_VERSION = "import torch; print('PyTorch', torch.__version__)"


@dataclasses.dataclass(frozen=True)
class Attempt:
    """One way to get it. `doing` names the source and what it costs."""

    doing: str
    command: Command
    if_not: str


def wanted_version(root: Path) -> str:
    """Return the version that pyproject.toml pins in the group `train`."""
    with open(root / "pyproject.toml", "rb") as file:
        requirements = tomllib.load(file)["dependency-groups"]["train"]
    return next(found[1] for each in requirements if (found := PIN.match(each)))


def has_nvidia_gpu() -> bool:
    """Whether the driver of an NVIDIA GPU is here."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def attempts(
    version: str, python: Path, uv: Path | None, *, gpu: bool, folders: str, platform: str
) -> list[Attempt]:
    """Return the ways to install it, the one that costs least for this machine first.

    `folders` is where wheels lie already (find-links), or empty. With a GPU a
    CPU wheel from there is the last resort.
    """
    release = f"torch=={version}"
    everywhere = "The next source is tried."
    if uv is not None:
        install: list[str | Path] = [uv, "pip", "install", "--python", python]
    else:
        install = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    build, costs = ("CUDA", FOR_CUDA) if gpu else ("CPU", FOR_CPU)
    found: list[Attempt] = []
    if uv is not None:
        backend = os.environ.get("UV_TORCH_BACKEND", "auto")
        doing = f"Installing PyTorch {version} for {build} from its own index ({costs})"
        command = [*install, "--torch-backend", backend, release]
        found.append(Attempt(doing, command, everywhere))
    # On the common index every wheel for Linux is the one with CUDA.
    what = f"with CUDA, {FOR_CUDA}" if platform == "linux" else FOR_CPU
    doing = f"Installing PyTorch {version} from the package index ({what})"
    found.append(Attempt(doing, [*install, release], everywhere))
    if folders:
        doing = f"Installing PyTorch {version} for the CPU from {folders}"
        command = [*install, "--no-index", "--no-deps", f"{release}+cpu"]
        found.insert(len(found) if gpu else 0, Attempt(doing, command, everywhere))
    return found


def install(root: Path, python: Path, uv: Path | None) -> str | None:
    """Install the pinned PyTorch and see it start; return what it says it is, else None.

    A failure is told in words and raises nothing: all else works without.
    """
    version = wanted_version(root)
    folders = " and ".join(installing.find_links(python))
    ways = attempts(
        version, python, uv, gpu=has_nvidia_gpu(), folders=folders, platform=sys.platform
    )
    environ = installing.settings_for_uv(python)
    for way in ways:
        try:
            run_tool(way.command, doing=way.doing, remedy=way.if_not, cwd=root, environ=environ)
        except ToolFailed as error:
            say(f"  {_last_line(error.output)}\n{error}")
            continue
        # Really started: a wheel may need instructions that this processor has not.
        started = subprocess.run(
            [python, "-c", _TELL_VERSION], cwd=root, capture_output=True, text=True, check=False
        )
        if started.returncode == 0:
            say(f"  {started.stdout.strip()} starts")
            return started.stdout.strip()
        say(f"  It does not start: {_last_line(started.stderr)}")
    say(NO_PYTORCH.format(version=version))
    return None


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2].strip()
