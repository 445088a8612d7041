"""GET /v1/fine_tuning/jobs/{id}/export: what a job made, to take along."""

import asyncio
import contextlib
import io
import json
import zipfile
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.serving.served import FILES, add_model, served
from trainerbot.modelserver.bases import BaseModel, Bases
from trainerbot.modelserver.exports import Exports
from trainerbot.modelserver.runtimes.llamacpp import LlamaCpp
from trainerbot.modelserver.store import Store

BASE = BaseModel("tiny", "safetensors", "/srv/secret/tiny", 0, 128, "llama")


@pytest.fixture
def store(tmp_path: Path):
    with contextlib.closing(Store(tmp_path)) as open_store:
        yield open_store


@pytest.fixture
async def client(store, tmp_path):
    async with served(store, tmp_path, Bases([BASE]), {"tiny": LlamaCpp(None)}) as http:
        yield http


async def get(client, job_id: str, **query: str):
    return await client.get(f"/v1/fine_tuning/jobs/{job_id}/export", params=query)


async def finished(client, job_id: str, **query: str):
    """Ask until the export is made."""
    for _ in range(1000):
        answer = await get(client, job_id, **query)
        if answer.status_code != 202:
            return answer
        await asyncio.sleep(0.05)
    raise AssertionError("no export in 50 s")


async def test_the_adapter_comes_as_a_zip_that_peft_reads_and_tells_no_path(store, client):
    job_id = add_model(store)

    answer = await get(client, job_id)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert "ft-tiny-supervised-1-adapter.zip" in answer.headers["content-disposition"]
    assert answer.headers["content-length"] == str(len(answer.content))
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "adapter_config.json",
            "adapter_model.safetensors",
            "README.md",
        ]
        config = json.loads(archive.read("adapter_config.json"))
        assert config == {"r": 2, "lora_alpha": 4, "base_model_name_or_path": "tiny"}
        weights = archive.read("adapter_model.safetensors")
        assert weights == FILES["adapter_model.safetensors"]
        assert all(b"/srv/secret" not in archive.read(name) for name in archive.namelist())
    assert (await get(client, job_id)).content == answer.content


async def test_the_adapter_as_gguf_is_its_file(store, client):
    answer = await get(client, add_model(store), format="gguf")

    assert answer.content == FILES["adapter.gguf"]
    assert 'filename="ft-tiny-supervised-1.gguf"' in answer.headers["content-disposition"]


async def test_a_checkpoint_is_exported_by_its_step_its_id_or_its_model(store, client):
    job_id = add_model(store, checkpoint=20)
    (checkpoint,) = store.checkpoints(job_id).rows

    for name in ("20", checkpoint.id, checkpoint.model_id):
        answer = await get(client, job_id, format="gguf", checkpoint=name)
        assert (answer.status_code, "ckpt" in answer.headers["content-disposition"]) == (200, True)

    missing = await get(client, job_id, checkpoint="../../store.sqlite3")
    assert missing.status_code == 404
    assert "has no checkpoint" in missing.json()["error"]["message"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [({"format": "pickle"}, 400, "invalid_value"), ({"format": ""}, 400, "invalid_value")],
)
async def test_an_unknown_format_is_refused(store, client, query, status, code):
    answer = await get(client, add_model(store), **query)

    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_what_has_no_weights_says_so(store, client):
    job_id = add_model(store, method="knn", files={"tuned.jsonl": b""})

    answer = await get(client, job_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_weights")


async def test_an_architecture_without_gguf_says_so(store, client):
    files = {name: data for name, data in FILES.items() if name != "adapter.gguf"}

    answer = await get(client, add_model(store, files=files), format="gguf")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_convertible")


async def test_an_unknown_job_and_a_deleted_model_are_not_found(store, client):
    unknown = await get(client, "ftjob-none")
    assert (unknown.status_code, unknown.json()["error"]["code"]) == (404, "fine_tune_not_found")
    job_id = add_model(store)
    store.delete_model("ft:tiny:supervised::1")

    answer = await get(client, job_id)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


@pytest.mark.parametrize("form", ["adapter", "gguf"])
async def test_a_model_that_is_deleted_while_it_is_asked_for_is_not_found(store, client, form):
    job_id = add_model(store)
    for path in store.blobs.path("x").parent.iterdir():
        path.unlink()  # as a deletion does, right after its row

    answer = await get(client, job_id, format=form)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_a_suffix_of_any_script_is_exported(store, client):
    job_id = add_model(store, "ft:tiny:supervised:日本:1")

    answer = await get(client, job_id)

    assert answer.status_code == 200
    assert "-1-adapter.zip" in answer.headers["content-disposition"]


@pytest.mark.train
async def test_a_merge_without_its_base_is_refused_in_words(store, client):
    answer = await get(client, add_model(store, base="other"), format="merged")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "base_model_absent")


def test_half_an_export_and_those_of_deleted_models_are_swept(store, tmp_path):
    for name in ("exports/.making-x", "converted/.making-y", "exports/ofnobody", "converted/kept"):
        (tmp_path / name).mkdir(parents=True)

    Exports(store, Bases([BASE]), data=tmp_path).sweep()

    assert [path.name for path in (tmp_path / "exports").iterdir()] == []
    assert [path.name for path in (tmp_path / "converted").iterdir()] == ["kept"]


async def test_what_is_exported_is_prepared_where_a_kill_is_swept_after(store, tmp_path):
    exports = Exports(store, Bases([BASE]), data=tmp_path)
    model = store.model(store.job(add_model(store)).fine_tuned_model)

    with exports._adapter(model) as adapter:
        assert (adapter / "adapter_model.safetensors").read_bytes()
        exports.sweep()  # as the next server's start, had this one been killed here

        assert list((tmp_path / "exports").iterdir()) == []


@pytest.mark.train
async def test_a_merged_model_is_made_once_and_has_the_adapter_in_it(store, tmp_path):
    import torch
    from safetensors.torch import load, load_file, save, save_file

    folder = tmp_path / "tiny"
    folder.mkdir()
    name = "model.layers.0.self_attn.q_proj"
    torch.manual_seed(0)
    save_file(
        {f"{name}.weight": torch.randn(8, 4), "model.norm.weight": torch.ones(4)},
        folder / "model.safetensors",
    )
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    base = BaseModel("tiny", "safetensors", str(folder), 0, 128, "llama")
    a, b = torch.randn(2, 4), torch.randn(8, 2)
    key = f"base_model.model.{name}.lora_"
    weights = save({f"{key}A.weight": a, f"{key}B.weight": b})
    job_id = add_model(store, files={**FILES, "adapter_model.safetensors": weights})

    async with served(store, tmp_path, Bases([base]), {"tiny": LlamaCpp(None)}) as client:
        first = await get(client, job_id, format="merged")
        assert first.status_code == 202
        assert first.json()["status"] == "running"
        assert first.headers["retry-after"] == "2"
        answer = await finished(client, job_id, format="merged")
        refused = await finished(client, job_id, format="merged-gguf")
        await client.delete("/v1/models/ft:tiny:supervised::1")

    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == ["config.json", "model.safetensors"]
        merged = load(archive.read("model.safetensors"))
    plain = load_file(folder / "model.safetensors")
    torch.testing.assert_close(merged[f"{name}.weight"], plain[f"{name}.weight"] + 2 * (b @ a))
    assert torch.equal(merged["model.norm.weight"], plain["model.norm.weight"])
    assert (refused.status_code, "no GGUF file" in refused.text) == (400, True)
    assert list((tmp_path / "exports").iterdir()) == []
