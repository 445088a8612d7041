"""OpenAI's own tests: which are fetched, and what is not."""

import hashlib
from pathlib import Path

import pytest

from bootstrap import conformance
from bootstrap.command_line import parse
from bootstrap.console import SetupFailed
from bootstrap.environment import Environment

ROOT = Path(__file__).resolve().parents[2]


def test_conformance_is_ours_and_not_pytests():
    options, rest = parse(["test", "--conformance", "uploads", "-x"])

    assert options.conformance
    assert rest == ["uploads", "-x"]


def test_the_tests_are_those_of_the_locked_version():
    version, hashes, requirement = conformance.locked(ROOT)

    assert requirement.startswith(f"openai=={version} ")
    assert all(len(digest) == len("sha256:") + 64 for digest in hashes)
    assert len(hashes) > 1  # the source's, beside the wheel's


def test_a_source_that_is_not_the_locked_one_is_never_unpacked(tmp_path):
    (tmp_path / "requirements.lock").write_text(
        f"openai==1.2.3 \\\n    --hash=sha256:{hashlib.sha256(b'right').hexdigest()}\n"
    )
    cache = tmp_path / ".cache" / "conformance"
    cache.mkdir(parents=True)
    (cache / "openai-1.2.3.tar.gz").write_bytes(b"wrong")

    with pytest.raises(SetupFailed, match="is not the file"):
        conformance.fetch(Environment(tmp_path))

    assert [path.name for path in cache.iterdir()] == ["openai-1.2.3.tar.gz"]
