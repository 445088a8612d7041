"""The commands of run.py."""

import argparse
import textwrap
from pathlib import Path

from bootstrap import conformance, environment, gates, locks
from bootstrap.console import Command, SetupFailed, ToolFailed, replace_process, say

ROOT = Path(__file__).resolve().parent.parent
USAGE = """\
usage: python3 run.py                    set up, then start everything (Ctrl-C stops it)
       python3 run.py --with train ...     with what LoRA and DPO fine-tunes need, from now on
       python3 run.py test [ARGS...]       set up, then every gate and test; ARGS go to pytest
       python3 run.py test --conformance [ARGS...]   OpenAI's own tests against our model server
       python3 run.py manage ARGS...       set up, then one management command, such as: manage ask "Hi"
       python3 run.py lock               resolve the dependencies anew, write the four lock files
"""


def main(arguments: list[str]) -> int:
    """Do what the command line asks and return the exit code."""
    options, rest = parse(arguments)
    try:
        return _run(options, rest)
    except ToolFailed as error:
        say(f"{error.output.rstrip()}\n{error}")
    except SetupFailed as error:
        say(str(error))
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    return 1


def parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    """Split our own options from what goes on to the command; exits on a wrong one."""
    parser = argparse.ArgumentParser(
        prog="run.py",
        usage=textwrap.dedent(USAGE).removeprefix("usage: "),
        description="From a fresh clone to a running TrainerBot. Settings: docs/settings.md.",
        epilog="More about a command: python3 run.py manage help [COMMAND].",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--sync", action="store_true", help="install again even if the lock files did not change"
    )
    parser.add_argument(
        "--only-tests", action="store_true", help="with test: leave out the gates before pytest"
    )
    parser.add_argument(
        "--conformance",
        action="store_true",
        help="with test: run OpenAI's own tests of its SDK against the model server instead",
    )
    extra = parser.add_mutually_exclusive_group()
    extra.add_argument(
        "--with",
        dest="extra",
        choices=["train"],
        help="install what LoRA and DPO fine-tunes need too (PyTorch), and keep it in step",
    )
    extra.add_argument("--without", dest="no_extra", choices=["train"], help="take it out again")
    parser.add_argument("command", nargs="?", choices=["up", "test", "manage", "lock"])
    # What follows the command is the command's own, options and all.
    position = next(
        (
            i
            for i, word in enumerate(arguments)
            if not word.startswith("-") and arguments[i - 1 : i] not in (["--with"], ["--without"])
        ),
        None,
    )
    if position is None:
        options, rest = parser.parse_args(arguments), []
    else:
        options, rest = parser.parse_args(arguments[: position + 1]), arguments[position + 1 :]
    if options.command == "test" and "--only-tests" in rest:
        options.only_tests = True
        rest.remove("--only-tests")
    if options.command == "test" and "--conformance" in rest:
        options.conformance = True
        rest.remove("--conformance")
    if options.command == "manage" and not rest:
        rest = ["help"]
    return options, rest


def _run(options: argparse.Namespace, rest: list[str]) -> int:
    train = True if options.extra else False if options.no_extra else None
    prepared = environment.prepare(
        ROOT, dev=options.command == "test", again=options.sync, train=train
    )
    if options.command == "lock":
        return _lock(prepared)
    if options.command == "test" and options.conformance:
        return conformance.run(prepared, rest)
    if options.command == "test":
        return gates.run(prepared, only_tests=options.only_tests, pytest_arguments=rest)
    manage: Command = [prepared.python, "manage.py"]
    if options.command == "manage" and rest[0] != "up":
        return replace_process([*manage, "prepare", *rest], cwd=ROOT)
    if options.command == "manage":
        rest = rest[1:]
    # `up` prepares on its own, after it has seen that its ports are free.
    return replace_process([*manage, "up", *rest], cwd=ROOT)


def _lock(prepared: environment.Environment) -> int:
    uv = environment.get_uv(prepared)
    if uv is None:
        raise SetupFailed("Locks are made by uv, and it cannot be had here. Install uv.")
    locks.remake(ROOT, uv)
    say("The locks are made and in step with pyproject.toml.")
    return 0
