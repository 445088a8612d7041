"""What the server, the web, the worker and the bot load: nothing of what trains or draws."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "transformers", "peft", "trl", "accelerate", "datasets")
# Drawing is seldom asked for, and no start waits for what draws.
DRAWING = ("PIL", "arabic_reshaper", "bidi")
# Rooms whose code runs in a process of its own, where what trains may be loaded.
ROOMS = (
    "trainerbot.modelserver.conversion.",
    "trainerbot.modelserver.trainers.",
    "trainerbot.modelserver.runtimes.transformers",
)
LOAD = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
for name in {heavy}:
    sys.modules[name] = None  # to import it is an error from here on
import django
django.setup()
import importlib
for name in {modules}:
    importlib.import_module(name)
"""


def modules() -> list[str]:
    """Every module of the packages but those of the rooms."""
    found = []
    for package in ("trainerbot", "dashboard", "botrunner"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            # A program of formats/tables, which begins to work when it is imported.
            if not name.startswith(ROOMS) and name != "trainerbot.formats.tables.__main__":
                found.append(name.removesuffix(".__init__"))
    return found


def test_no_process_loads_what_draws_and_only_those_that_train_can_load_what_trains():
    code = LOAD.format(heavy=HEAVY + DRAWING, modules=modules())

    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert loaded.returncode == 0, loaded.stderr
