"""The locks: sound, in step with pyproject.toml, and enough for it."""

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bootstrap import locks

ROOT = Path(__file__).resolve().parents[2]


def test_the_locks_hold_no_address_and_are_in_step():
    assert locks.problems(ROOT) == []


def test_every_requirement_is_pinned_by_its_lock():
    with open(ROOT / "pyproject.toml", "rb") as file:
        project = tomllib.load(file)
    wanted = {
        locks.RUN: project["project"]["dependencies"],
        locks.MODEL: project["dependency-groups"]["model"],
        locks.DEV: project["dependency-groups"]["dev"],
        locks.TRAIN: project["dependency-groups"]["train"],
    }

    unmet = []
    for name, requirements in wanted.items():
        pins = locks.pins((ROOT / name).read_text(encoding="utf-8"))
        for requirement in map(Requirement, requirements):
            if requirement.name == "torch":  # its build is chosen by the machine
                continue
            versions = pins.get(canonicalize_name(requirement.name), set())
            if not any(requirement.specifier.contains(each, prereleases=True) for each in versions):
                unmet.append(f"{name}: {requirement}, pinned {sorted(versions)}")

    assert unmet == []


def test_pytorch_is_in_no_lock():
    for name in locks.SELECTION:
        pins = locks.pins((ROOT / name).read_text(encoding="utf-8"))

        assert not {"torch", "triton"} & pins.keys()
        assert not [each for each in pins if each.startswith(("nvidia", "cuda"))]


def test_every_pin_has_a_hash():
    for name in locks.SELECTION:
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = sum(map(len, locks.pins(text).values()))

        assert pins > 0
        assert text.count("--hash=sha256:") >= pins
