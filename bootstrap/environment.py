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
from itertools import combinations
from pathlib import Path

from bootstrap import installing, locks, pytorch
from bootstrap.console import SetupFailed, ToolFailed, run_tool, say
from bootstrap.filelock import hold

OLDEST_UV = (0, 4)
UV_IS = re.compile(r"^uv (\d+)\.(\d+)")
NO_MODEL = (
    "The local language model cannot be installed on this machine, so it is left out.\n"
    "  All else works. For chat and fine-tuning set OPENAI_API_KEY, or OPENAI_BASE_URL to a\n"
    "  server that speaks OpenAI's API. To try again: python3 run.py --sync"
)
NO_TRAIN = (
    "What LoRA and DPO fine-tunes need cannot be installed on this machine, so it is left out.\n"
    "  All else works, the method knn too. To try again: python3 run.py --with train"
)
# What set-up keeps of an environment that it makes anew.
KEPT = ("trainerbot.lock", "trainerbot-extras.txt")


@dataclasses.dataclass(frozen=True)
class Stamp:
    """What the environment holds: the digests of its locks, and for which folder it was made."""

    folder: str
    digests: dict[str, str]
    has_model: bool
    # What PyTorch called itself when it was installed; None without it.
    pytorch: str | None = None

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
    def extras_path(self) -> Path:
        """What was asked for by --with, a name a line: it outlives a failed set-up."""
        return self.folder / "trainerbot-extras.txt"

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

    def wants_train(self) -> bool:
        """Whether --with train was said here, and --without train not since."""
        try:
            return "train" in self.extras_path.read_text(encoding="utf-8").split()
        except OSError:
            return False

    def remember(self, *, train: bool) -> None:
        """Keep for later runs whether the extra `train` is wanted."""
        if train:
            self.extras_path.write_text("train\n", encoding="utf-8")
        else:
            self.extras_path.unlink(missing_ok=True)

    def is_in_step(self, names: list[str]) -> bool:
        """Whether it holds the locks `names` as they are now, for this folder.

        The lock of the extra `train` must be among them or not installed.
        """
        stamp = Stamp.read(self.stamp_path)
        return (
            stamp is not None
            and stamp.folder == str(self.root)
            and (locks.TRAIN in names) == (locks.TRAIN in stamp.digests)
            and all(stamp.digests.get(name) == locks.digest(self.root, name) for name in names)
            and self.has_python()
        )


def prepare(
    root: Path, *, dev: bool, again: bool = False, train: bool | None = None
) -> Environment:
    """Return the environment with the run locks, and with `dev` the test tools, installed.

    `train` adds the extra of that name or takes it out, for later runs too;
    None leaves it as it was. Whatever else was installed goes, except test
    tools once they are in. `again` installs even if nothing changed. Raises
    SetupFailed, also where `train` was asked for and cannot be had.
    """
    environment = Environment(root)
    if environment.folder.is_symlink():  # a worktree's: who made the link keeps it in step
        if train is not None:
            say(".venv is a link, so what it holds is left to whoever made it.")
        return environment
    wanted = environment.wants_train() if train is None else train
    if not again and _is_done(environment, dev=dev, train=wanted, asked=train is not None):
        return environment
    with hold(environment.folder / "trainerbot.lock", on_wait=_say_that_another_works):
        environment.remember(train=wanted)
        # Else another one did it meanwhile.
        if again or not _is_done(environment, dev=dev, train=wanted, asked=train is not None):
            _install(environment, dev=dev)
    stamp = Stamp.read(environment.stamp_path)
    if train and not (stamp and stamp.pytorch):
        raise SetupFailed("The extra 'train' is not installed: see above. All else is.")
    return environment


def _is_done(environment: Environment, *, dev: bool, train: bool, asked: bool) -> bool:
    """Whether nothing is to be installed. `asked`: for `train` in so many words, just now."""
    names = [locks.RUN, locks.MODEL, *([locks.DEV] if dev else [])]
    if not environment.is_in_step([*names, *([locks.TRAIN] if train else [])]):
        return False
    stamp = Stamp.read(environment.stamp_path)
    complete = not train or (stamp is not None and stamp.pytorch is not None)
    return environment.wants_train() == train and (complete or not asked)


def _say_that_another_works() -> None:
    say("Another run.py is setting up in this folder; waiting for it to finish …")


def _install(environment: Environment, *, dev: bool) -> None:
    stamp = Stamp.read(environment.stamp_path)
    names = [locks.RUN]
    # Test tools stay once they are in, also those that somebody put there by hand.
    if dev or environment.program("pytest").exists():
        names.append(locks.DEV)
    train = environment.wants_train()
    # pip takes nothing out.
    leftover = stamp and locks.TRAIN in stamp.digests and not train and not find_uv(environment)
    if (
        not environment.has_python()
        or (stamp and stamp.folder != str(environment.root))
        or leftover
    ):
        _make_environment(environment)
    environment.stamp_path.unlink(missing_ok=True)
    uv = get_uv(environment)
    optional = [*([locks.TRAIN] if train else []), locks.MODEL]
    left_out = _install_what_can_be(environment, uv, names, optional)
    build = None
    if train and locks.TRAIN not in left_out:
        build = pytorch.install(environment.root, environment.python, uv)
    digests = {name: locks.digest(environment.root, name) for name in [*names, *optional]}
    has_model = locks.MODEL not in left_out
    Stamp(str(environment.root), digests, has_model, build).write(environment.stamp_path)


def _install_what_can_be(
    environment: Environment, uv: Path | None, names: list[str], optional: list[str]
) -> set[str]:
    """Install the locks, and return which of the `optional` ones had to be left out.

    Raises ToolFailed where not even `names` can be installed.
    """
    first: ToolFailed | None = None
    # Either nothing can be fetched, or only some of them have no wheel here.
    for n_left_out in range(len(optional) + 1):
        for left_out in combinations(reversed(optional), n_left_out):
            chosen = [*names, *(name for name in optional if name not in left_out)]
            try:
                installing.install(environment.root, environment.python, uv, chosen)
            except ToolFailed as error:
                first = first or error
                continue
            if first is not None:
                say(first.output.strip())
            if locks.MODEL in left_out:
                say(NO_MODEL)
            if locks.TRAIN in left_out:
                say(NO_TRAIN)
            return set(left_out)
    assert first is not None
    raise first


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
    """Empty the environment but for the lock file, which this process holds, and what is KEPT."""
    for entry in folder.iterdir():
        if entry.name in KEPT:
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
