"""The extra `train`: asked for, remembered, taken out, and PyTorch from wherever it is."""

import json
import sys
from pathlib import Path

import pytest

from bootstrap import environment, locks, pytorch
from bootstrap.console import SetupFailed
from bootstrap.environment import Environment, Stamp

PYPROJECT = '[dependency-groups]\ntrain = ["torch==2.13.0", "trl"]\n'
# A stand-in that installs a PyTorch of one line, and takes it out as a sync does.
UV = """#!{python}
import json, sys
from pathlib import Path
if "--version" in sys.argv:
    print("uv 0.13.8")
    sys.exit()
python = Path(sys.argv[sys.argv.index("--python") + 1])
torch = next((python.parent.parent / "lib").glob("python*/site-packages")) / "torch.py"
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if any(each in sys.argv for each in {refused!r}):
    print("nothing of that kind here")
    sys.exit(1)
if sys.argv[2] == "sync":
    torch.unlink(missing_ok=True)
else:
    torch.write_text("__version__ = " + repr(sys.argv[-1].removeprefix("torch==")))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in locks.SELECTION:
        (tmp_path / name).write_text(f"{name.removesuffix('.lock')}==1.0\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    monkeypatch.delenv("UV_TORCH_BACKEND", raising=False)
    monkeypatch.setenv("UV_FIND_LINKS", "")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "nowhere")
    # An environment as venv makes it, in no time.
    made = Environment(tmp_path)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (made.folder / "lib" / version / "site-packages").mkdir(parents=True)
    made.python.parent.mkdir()
    made.python.symlink_to(sys.executable)
    (made.folder / "pyvenv.cfg").write_text(f"home = {Path(sys.executable).parent}\n")
    return tmp_path


def uv_that_refuses(folder: Path, monkeypatch: pytest.MonkeyPatch, *refused: str) -> None:
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    code = UV.format(python=sys.executable, log=str(folder / "calls.log"), refused=list(refused))
    (programs / "uv").write_text(code)
    (programs / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))


def calls(folder: Path) -> list[list[str]]:
    """What the stand-in was asked since the last time."""
    log = folder / "calls.log"
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return [json.loads(line) for line in lines]


def synced(call: list[str]) -> list[str]:
    return [each for each in call if each.endswith(".lock")]


def pytorch_of(folder: Path) -> str | None:
    stamp = Stamp.read(Environment(folder).stamp_path)
    assert stamp is not None
    return stamp.pytorch


def test_without_a_word_nothing_that_trains_is_installed(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch)

    environment.prepare(folder, dev=False)

    assert [synced(each) for each in calls(folder)] == [[locks.RUN, locks.MODEL]]


def test_with_train_pytorch_comes_after_the_locks(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch)

    environment.prepare(folder, dev=False, train=True)

    first, second = calls(folder)
    assert synced(first) == [locks.RUN, locks.TRAIN, locks.MODEL]
    assert second[-3:] == ["--torch-backend", "auto", "torch==2.13.0"]
    assert pytorch_of(folder) == "PyTorch 2.13.0"


def test_later_runs_keep_it_in_step_without_being_told(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch)
    environment.prepare(folder, dev=False, train=True)
    environment.prepare(folder, dev=False)
    assert len(calls(folder)) == 2
    (folder / locks.TRAIN).write_text("trl==2.0\n")

    environment.prepare(folder, dev=False)

    assert synced(calls(folder)[0]) == [locks.RUN, locks.TRAIN, locks.MODEL]
    assert pytorch_of(folder) == "PyTorch 2.13.0"


def test_a_set_up_that_failed_does_not_forget_what_was_asked_for(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch, locks.RUN)
    with pytest.raises(SetupFailed):
        environment.prepare(folder, dev=False, train=True)
    uv_that_refuses(folder, monkeypatch)

    environment.prepare(folder, dev=False)

    assert pytorch_of(folder) == "PyTorch 2.13.0"


def test_without_train_it_is_taken_out_and_stays_out(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch)
    environment.prepare(folder, dev=False, train=True)
    calls(folder)

    environment.prepare(folder, dev=False, train=False)
    environment.prepare(folder, dev=False)

    assert [synced(each) for each in calls(folder)] == [[locks.RUN, locks.MODEL]]
    assert pytorch_of(folder) is None


def test_a_cpu_wheel_that_lies_in_a_folder_is_taken_first(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch)
    monkeypatch.setenv("UV_FIND_LINKS", "/srv/wheels")

    environment.prepare(folder, dev=False, train=True)

    assert calls(folder)[1][-3:] == ["--no-index", "--no-deps", "torch==2.13.0+cpu"]
    assert pytorch_of(folder) == "PyTorch 2.13.0+cpu"


def test_one_source_after_the_other_is_tried(folder, monkeypatch, capsys):
    uv_that_refuses(folder, monkeypatch, "--no-index", "--torch-backend")
    monkeypatch.setenv("UV_FIND_LINKS", "/srv/wheels")

    environment.prepare(folder, dev=False, train=True)

    said = capsys.readouterr().err
    assert [each[-1] for each in calls(folder)[1:]] == [
        "torch==2.13.0+cpu",
        "torch==2.13.0",
        "torch==2.13.0",
    ]
    assert "nothing of that kind here" in said
    assert "several GB" in said


def test_no_pytorch_leaves_all_else_and_says_what_to_do(folder, monkeypatch, capsys):
    uv_that_refuses(folder, monkeypatch, "torch==2.13.0")

    with pytest.raises(SetupFailed, match="'train' is not installed"):
        environment.prepare(folder, dev=False, train=True)

    assert "name the folder by UV_FIND_LINKS" in capsys.readouterr().err
    calls(folder)
    made = environment.prepare(folder, dev=False)
    assert made.is_in_step([locks.RUN, locks.MODEL, locks.TRAIN])
    assert calls(folder) == []


def test_asked_again_a_missing_pytorch_is_tried_again(folder, monkeypatch):
    uv_that_refuses(folder, monkeypatch, "torch==2.13.0")
    with pytest.raises(SetupFailed):
        environment.prepare(folder, dev=False, train=True)
    uv_that_refuses(folder, monkeypatch)

    environment.prepare(folder, dev=False, train=True)

    assert pytorch_of(folder) == "PyTorch 2.13.0"


def test_what_trains_may_be_missing_while_the_model_is_there(folder, monkeypatch, capsys):
    uv_that_refuses(folder, monkeypatch, locks.TRAIN)

    with pytest.raises(SetupFailed):
        environment.prepare(folder, dev=False, train=True)

    stamp = Stamp.read(Environment(folder).stamp_path)
    assert stamp is not None
    assert stamp.has_model
    assert synced(calls(folder)[-1]) == [locks.RUN, locks.MODEL]
    assert "LoRA and DPO" in capsys.readouterr().err


def test_an_environment_that_is_a_link_is_left_to_whoever_made_it(
    folder, monkeypatch, tmp_path_factory, capsys
):
    uv_that_refuses(folder, monkeypatch)
    environment.prepare(folder, dev=False)
    worktree = tmp_path_factory.mktemp("worktree")
    (worktree / ".venv").symlink_to(folder / ".venv", target_is_directory=True)

    environment.prepare(worktree, dev=False, train=True)

    assert ".venv is a link" in capsys.readouterr().err
    assert len(calls(folder)) == 1


@pytest.mark.parametrize(
    ("gpu", "platform", "expected"),
    [
        (False, "linux", ["for the CPU from /w", "own index (190 MB", "with CUDA, several GB"]),
        (True, "linux", ["own index (several GB", "with CUDA, several GB", "for the CPU from /w"]),
        (False, "win32", ["for the CPU from /w", "own index (190 MB", "package index (190 MB"]),
    ],
)
def test_the_source_that_costs_this_machine_least_comes_first(gpu, platform, expected):
    ways = pytorch.attempts(
        "2.13.0", Path("python"), Path("uv"), gpu=gpu, folders="/w", platform=platform
    )

    assert len(ways) == len(expected)
    assert all(words in way.doing for words, way in zip(expected, ways, strict=True))


def test_pip_has_no_way_to_pytorchs_own_index():
    ways = pytorch.attempts("2.13.0", Path("p"), None, gpu=False, folders="", platform="linux")

    assert [way.command[-1] for way in ways] == ["torch==2.13.0"]


def test_the_version_is_the_one_that_is_pinned():
    root = Path(__file__).resolve().parents[2]

    assert pytorch.wanted_version(root).count(".") == 2
