"""What the server's own processes are started with."""

from trainerbot.modelserver.children import environment_of_child


def test_no_process_that_runs_models_or_trains_is_told_a_key(monkeypatch):
    for name in ("MODELSERVER_API_KEY", "VLLM_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "secret")

    told = environment_of_child(OMP_NUM_THREADS="1")

    assert "secret" not in told.values()
    assert told["OMP_NUM_THREADS"] == "1"
