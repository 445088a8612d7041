"""The rules of the house that no linter knows."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import get_commands, load_command_class
from django.db import models

from trainerbot.finetune.registry import FINETUNE
from trainerbot.llm.registry import CHAT

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("trainerbot", "dashboard", "botrunner", "bootstrap")
NOT_OURS = {
    ".cache",
    ".git",
    ".venv",
    "var",
    "node_modules",
    "staticfiles",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}
MODULES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if "migrations" not in path.parts
)
FACES = [
    path
    for path in MODULES
    if path.is_relative_to(ROOT / "botrunner")
    or {"views", "consumers", "commands", "forms", "templatetags"} & set(path.parts)
]
WRITES = re.compile(
    r"\.objects\b.*\.a?(create|bulk_create|get_or_create|update|update_or_create|delete)\("
)
# Spelt in pieces, so that these rules do not break themselves.
LEFT_FOR_LATER = re.compile(
    "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImpl" + "emented"])
)
THIS_MACHINE = re.compile("(^|[^A-Za-z0-9_.])/(" + "|".join(["work", "farm", "root"]) + ")/", re.M)
OUR_MODELS = [
    model for app in ("dashboard", "botrunner") for model in apps.get_app_config(app).get_models()
]
FIELDS = [
    pytest.param(field, id=f"{model.__name__}.{field.name}")
    for model in OUR_MODELS
    for field in model._meta.get_fields()
    if isinstance(field, models.Field) and field.editable and not field.auto_created
]
COMMANDS = sorted(
    (name, app) for name, app in get_commands().items() if app in ("dashboard", "botrunner")
)
PROVIDERS = [*CHAT.values(), *FINETUNE.values()]


def our_files(*suffixes: str) -> Iterator[Path]:
    """Every text file that we keep, with one of these suffixes."""
    for path in sorted(ROOT.rglob("*")):
        kept = not NOT_OURS & set(path.relative_to(ROOT).parts)
        if kept and path.suffix in suffixes and path.is_file():
            yield path


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_a_file_can_be_read_in_one_sitting():
    long = {
        name(path): count
        for path in our_files(".py", ".html")
        if "migrations" not in path.parts
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }

    assert long == {}


def test_a_file_is_called_after_what_it_holds():
    vague = {"utils", "util", "helpers", "helper", "common", "misc"}

    assert [name(path) for path in our_files(".py") if path.stem in vague] == []


def writes(call: ast.Call, services: set[str]) -> bool:
    """Whether a call writes rows past the services, judged by its words alone."""
    words = ast.unparse(call)
    if WRITES.search(words):
        return True
    saves = isinstance(call.func, ast.Attribute) and call.func.attr in ("save", "asave")
    unsaved = "commit=False" in words  # a form that only fills its object
    return saves and not unsaved and words.partition(".")[0] not in services


@pytest.mark.parametrize("path", FACES, ids=name)
def test_faces_leave_writing_to_services(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    services = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dashboard.services")
        for alias in node.names
    }
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]

    assert [ast.unparse(call) for call in calls if writes(call, services)] == []


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_says_what_it_holds(field):
    assert field.help_text


@pytest.mark.parametrize("model", OUR_MODELS, ids=lambda model: model.__name__)
def test_every_model_says_what_it_is(model):
    assert model.__str__ is not models.Model.__str__
    assert model.__doc__
    assert not model.__doc__.startswith(f"{model.__name__}(")  # Django's own, from the fields


@pytest.mark.parametrize("path", PROVIDERS)
def test_every_registered_provider_exists(path):
    module, _, class_name = path.rpartition(".")

    assert hasattr(import_module(module), class_name)


def test_every_setting_is_documented():
    settings = (ROOT / "trainerbot/settings.py").read_text(encoding="utf-8")
    docs = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.\w+|\b_secret)\(\s*"([A-Z_]+)"', settings))
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", docs, re.MULTILINE))

    assert read == told


def test_the_settings_module_alone_reads_the_environment():
    readers = [
        name(path)
        for path in MODULES
        if not path.is_relative_to(ROOT / "bootstrap")
        and path != ROOT / "trainerbot/settings.py"
        and re.search(r"os\.getenv|os\.environ(\.get\(|\[)", path.read_text(encoding="utf-8"))
    ]

    # These run where there is no Django: asgi before it, the model server without it.
    allowed = {
        "trainerbot/asgi.py",
        "trainerbot/modelserver/__main__.py",
        "trainerbot/modelserver/trainers/lora/work.py",  # torchrun tells a process its number so
    }
    assert set(readers) <= allowed


@pytest.mark.parametrize(("command", "app"), COMMANDS)
def test_every_command_says_what_it_does_and_has_a_test(command, app):
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))

    assert load_command_class(app, command).help
    assert f'"{command}"' in tests


def test_every_error_says_what_it_means():
    classes = {
        node.name: node
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    }
    errors = {"TrainerBotError"}
    found = True
    while found:
        found = {
            each
            for each, node in classes.items()
            if {ast.unparse(base).rpartition(".")[2] for base in node.bases} & errors
        } - errors
        errors |= found

    assert len(errors) > 5
    assert [each for each in sorted(errors) if not ast.get_docstring(classes[each])] == []


def test_fakes_live_in_tests_only():
    fakes = [
        f"{name(path)}: {found[0]}"
        for path in MODULES
        if (
            found := re.search(
                r"(?i)\bimport fake|from tests|class (fake|mock|dummy|stub)",
                path.read_text(encoding="utf-8"),
            )
        )
    ]

    assert fakes == []


def test_nothing_is_left_for_later():
    assert matches_of(LEFT_FOR_LATER, ".py", ".html", ".js") == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    assert matches_of(THIS_MACHINE, ".py", ".html", ".md", ".toml", ".js", ".css", ".lock") == []


def test_no_error_is_swallowed():
    swallowed = re.compile(
        r"except( Exception| BaseException)?( as \w+)?:\s*(pass|\.\.\.)\s*$", re.M
    )

    assert matches_of(swallowed, ".py") == []


def test_no_test_is_skipped_for_good():
    skips = re.compile(r"mark\." + r"(skip|xfail)\b(?!if)")

    assert matches_of(skips, ".py") == []


def matches_of(pattern: re.Pattern[str], *suffixes: str) -> list[str]:
    return [
        f"{name(path)}: {found[0].strip()}"
        for path in our_files(*suffixes)
        if (found := pattern.search(path.read_text(encoding="utf-8")))
    ]
