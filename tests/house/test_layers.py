"""Imports against the rules of the house are caught: plant some, and see."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trainerbot", "dashboard", "botrunner")

# Who imports what it may not. The importer is a new module, so that no plant
# changes what another one means.
PLANTS = [
    ("dashboard.models.planted", "dashboard.services.audit"),
    ("dashboard.services.planted", "dashboard.views.health"),
    ("dashboard.services.planted_for_bot", "botrunner.replies"),
    ("dashboard.views.planted", "discord"),
    ("dashboard.forms.planted", "dashboard.views.health"),
    ("botrunner.cogs.planted", "dashboard.views.health"),
    ("botrunner.cogs.planted_upwards", "botrunner.bot"),
    ("trainerbot.llm.planted", "django.conf"),
    ("trainerbot.llm.planted_sideways", "trainerbot.finetune.registry"),
    ("trainerbot.formats.planted", "trainerbot.llm.registry"),
    ("trainerbot.retrieval.planted", "dashboard.models"),
    ("trainerbot.conversation.planted", "trainerbot.llm.providers.openai_compatible"),
    ("trainerbot.conversation.planted_settings", "trainerbot.settings"),
    ("trainerbot.modelserver.planted", "trainerbot.llm.registry"),
    ("dashboard.services.planted_sdk", "trainerbot.endpoints.openai_sdk"),
    ("dashboard.services.planted_torch", "torch"),
    ("trainerbot.modelserver.api.planted", "trl"),
    ("dashboard.services.planted_server", "trainerbot.modelserver.store"),
]
HOMELESS = ["dashboard.utilities", "botrunner.things", "trainerbot.stuff"]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the packages and of the rules, to plant in."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            tmp_path / package,
            ignore=shutil.ignore_patterns("__pycache__", "static"),
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint_imports(folder: Path) -> "subprocess.CompletedProcess[str]":
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def plant(folder: Path, module: str, code: str) -> None:
    path = folder / Path(*module.split(".")).with_suffix(".py")
    path.write_text(code, encoding="utf-8")


def test_planted_illegal_imports_are_caught(copy):
    for importer, imported in PLANTS:
        plant(copy, importer, f"import {imported}\n")

    lint = lint_imports(copy)

    said = " ".join(lint.stdout.split())
    missed = [
        f"{importer} -> {imported}"
        for importer, imported in PLANTS
        # An external package is named by its root alone.
        if f"{importer} -> {imported}" not in said
        and f"{importer} -> {imported.partition('.')[0]} " not in said
    ]
    assert lint.returncode == 1
    assert missed == []


def test_a_module_with_no_floor_is_caught(copy):
    for module in HOMELESS:
        plant(copy, module, "")

    lint = lint_imports(copy)

    assert lint.returncode == 1
    assert [each for each in HOMELESS if each.rpartition(".")[2] not in lint.stdout] == []


@pytest.mark.parametrize("package", ["openai", "sklearn", "torch", "xllamacpp"])
def test_a_heavy_import_outside_its_place_is_caught(copy, package):
    plant(copy, "dashboard.services.planted", f"import {package}\n\nprint({package})\n")

    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID251", "--no-cache", "dashboard"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ruff.returncode == 1
    assert f"`{package}` is banned" in ruff.stdout
