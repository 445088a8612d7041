"""The four lock files: which there are, whether they are sound, how they are made."""

import hashlib
import json
import re
import tomllib
from itertools import combinations
from pathlib import Path

from bootstrap.console import SetupFailed, run_tool

EXPORT = ["export", "--no-emit-project", "--no-annotate"]
MADE_FROM = "# Made by `python3 run.py lock` from the dependencies of pyproject.toml, sha256 "
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)

RUN = "requirements.lock"
MODEL = "requirements-model.lock"
DEV = "requirements-dev.lock"
TRAIN = "requirements-train.lock"
SELECTION = {
    RUN: ["--no-default-groups"],
    MODEL: ["--only-group", "model"],
    DEV: ["--only-group", "dev"],
    # Which build of PyTorch fits, the machine decides: bootstrap/pytorch.py.
    TRAIN: ["--only-group", "train", "--no-emit-package", "torch"],
}


def digest(root: Path, name: str) -> str:
    """Return the lock's sha256; raises SetupFailed when the file is missing."""
    try:
        return hashlib.sha256((root / name).read_bytes()).hexdigest()
    except FileNotFoundError:
        raise SetupFailed(f"{name} is missing. Get it back: git checkout -- {name}") from None


def pins(text: str) -> dict[str, set[str]]:
    """Return name -> versions of a lock's text; one name has several where markers differ."""
    found: dict[str, set[str]] = {}
    for name, version in PIN.findall(text):
        found.setdefault(name.lower(), set()).add(version)
    return found


def fingerprint(root: Path) -> str:
    """Return a sha256 of all that decides what a lock holds, layout and comments aside."""
    with open(root / "pyproject.toml", "rb") as file:
        tables = tomllib.load(file)
    decisive = {
        "python": tables["project"].get("requires-python"),
        "dependencies": tables["project"].get("dependencies"),
        "extras": tables["project"].get("optional-dependencies"),
        "groups": tables.get("dependency-groups"),
        "uv": tables.get("tool", {}).get("uv"),
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def problems(root: Path) -> list[str]:
    """Return what is wrong with the locks, a sentence each; empty when they are sound."""
    found: list[str] = []
    expected = MADE_FROM + fingerprint(root)
    versions: dict[str, dict[str, set[str]]] = {}
    for name in SELECTION:
        text = (root / name).read_text(encoding="utf-8")
        versions[name] = pins(text)
        if "://" in text:
            found.append(f"{name} holds an address (://).")
        if expected not in text.splitlines():
            found.append(f"{name} is not in step with pyproject.toml: python3 run.py lock")
    for one, other in combinations(SELECTION, 2):
        for package in sorted(versions[one].keys() & versions[other].keys()):
            here, there = (sorted(versions[name][package]) for name in (one, other))
            if here != there:
                found.append(f"{package} is {here} in {one}, {there} in {other}.")
    return found


def remake(root: Path, uv: Path | str) -> None:
    """Resolve pyproject.toml anew and write the four locks; raises SetupFailed.

    A uv.lock beside it, if there is one, keeps versions as they are; without
    it the newest that fit are taken.
    """
    first_line = MADE_FROM + fingerprint(root) + "\n"
    for name, selection in SELECTION.items():
        run_tool(
            [uv, *EXPORT, *selection, "-o", name],
            doing=f"Making {name}",
            remedy="Mend what uv says above, then run it again.",
            cwd=root,
            environ={"NO_COLOR": "1"},
        )
        path = root / name
        path.write_text(first_line + path.read_text(encoding="utf-8"), encoding="utf-8")
    if found := problems(root):
        raise SetupFailed("\n".join(found))
