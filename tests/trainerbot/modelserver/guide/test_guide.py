"""Every example of the page, against a real server with a tiny model."""

from typing import Any

import pytest

from tests.trainerbot.modelserver.guide.page import PAGE, examples, printed, shape, with_outputs
from tests.trainerbot.modelserver.running import RunningServer
from tests.trainerbot.modelserver.training.tiny import make_base


@pytest.mark.train
def test_every_example_of_the_guide_prints_what_the_page_says(tmp_path, monkeypatch):
    base = make_base(tmp_path / "SmolLM2-135M-Instruct")
    given = ("--model", base.source, "--no-packaged-model")
    kept = examples(PAGE.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}

    with RunningServer(tmp_path / "data", *given) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", server.key or "")
        monkeypatch.chdir(tmp_path)
        # A person may wait a second between two looks.
        told = [printed(one.code.replace("sleep(1)", "sleep(0.05)"), names) for one in kept]
        names["client"].close()

    assert len(kept) > 12
    assert [shape(output) for output in told] == [shape(one.output) for one in kept]


def test_outputs_are_written_below_their_examples_and_nowhere_else():
    page = PAGE.read_text(encoding="utf-8")
    outputs = [one.output for one in examples(page)]

    assert with_outputs(page, outputs) == page
    again = with_outputs(page, ["x\n" for _ in outputs])
    assert {one.output for one in examples(again)} == {"x\n"}
    assert [one.code for one in examples(again)] == [one.code for one in examples(page)]
