"""What the environment says counts as it is."""

import subprocess
import sys

import pytest

from tests.botrunner.running import ROOT, environ

SHOW = "import sys, trainerbot.settings as s; print(getattr(s, sys.argv[1]))"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DISCORD_TOKEN"])
def test_a_secret_may_begin_with_a_dollar_sign(tmp_path, name):
    shown = subprocess.run(
        [sys.executable, "-c", SHOW, name],
        cwd=ROOT,
        env=environ(tmp_path, **{name: "$x7%b"}),
        capture_output=True,
        text=True,
        check=True,
    )

    assert shown.stdout.strip() == "$x7%b"
