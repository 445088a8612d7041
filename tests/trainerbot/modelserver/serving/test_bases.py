"""Which models --model names, and what each is refused for."""

import json
from pathlib import Path

import pytest

from tests.trainerbot.modelserver.gguf_files import write_head
from trainerbot.errors import InvalidInput
from trainerbot.modelserver.api import wire
from trainerbot.modelserver.bases import find_bases
from trainerbot.modelserver.runtimes.base import Options
from trainerbot.modelserver.runtimes.weights import weights_of

CONFIG = {"model_type": "llama", "max_position_embeddings": 256}


def folder(path: Path, *names: str, config: dict[str, object] | None = CONFIG) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(b"{}")
    if config is not None:
        (path / "config.json").write_text(json.dumps(config))
    return path


def only(*given: str, **options: bool):
    return list(find_bases(given, packaged=False, **options))


def test_a_gguf_file_is_a_base_model_that_says_what_it_is(tmp_path):
    path = write_head(tmp_path / "My Model-Q4_K_M.gguf", context_length=512)

    (model,) = only(str(path))

    assert (model.id, model.kind, model.path) == ("my-model", "gguf", path)
    assert (model.architecture, model.context_tokens, model.trainable) == ("llama", 512, True)
    assert weights_of(model).model_id == "my-model"


def test_the_context_is_never_longer_than_the_server_allows(tmp_path):
    path = write_head(tmp_path / "long.gguf", context_length=100_000)

    (model,) = find_bases([str(path)], packaged=False, max_context_tokens=1024)

    assert model.context_tokens == 1024


def test_an_architecture_that_cannot_be_converted_back_is_served_and_not_trained(tmp_path):
    (model,) = only(str(write_head(tmp_path / "other.gguf", architecture="mamba")))

    assert not model.trainable


def test_a_folder_of_safetensors_is_a_base_model(tmp_path):
    path = folder(tmp_path / "Tiny Llama", "model.safetensors", "tokenizer.json")

    (model,) = only(str(path))

    assert (model.id, model.kind, model.path) == ("tiny-llama", "safetensors", path)
    assert (model.architecture, model.context_tokens, model.trainable) == ("llama", 256, True)
    assert weights_of(model) is None
    assert model.trainable_path(tmp_path / "cache") == path


@pytest.mark.model
def test_the_packaged_model_comes_last_and_can_be_left_out(tmp_path):
    path = str(write_head(tmp_path / "mine.gguf"))

    assert [model.id for model in find_bases([path])] == ["mine", "smollm2-135m-instruct"]
    assert [model.id for model in find_bases([path], packaged=False)] == ["mine"]
    packaged = find_bases().default
    assert (packaged.architecture, packaged.trainable) == ("llama", True)
    assert weights_of(packaged).defaults == Options(temperature=0.2, top_p=0.9)


def test_without_any_there_is_no_default():
    assert find_bases(packaged=False).default is None


def test_two_models_of_one_name_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    paths = [str(write_head(tmp_path / name / "same.gguf")) for name in "ab"]

    with pytest.raises(InvalidInput, match="the id same"):
        find_bases(paths)


def test_a_name_on_the_hub_needs_leave_to_download():
    with pytest.raises(InvalidInput, match="--allow-download"):
        only("org/Some-Model")

    (model,) = only("org/Some-Model", allow_download=True)
    assert (model.id, model.kind, model.source, model.path) == (
        "some-model",
        "hub",
        "org/Some-Model",
        None,
    )


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "adapter.pkl", "MODEL.PTH"])
def test_a_pickle_offered_as_weights_is_refused_unopened(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(b"\x80\x04cos\nsystem\n(S'touch /tmp/owned'\ntR.")

    with pytest.raises(InvalidInput, match="can hold programs"):
        only(str(path))


@pytest.mark.parametrize(
    ("names", "config", "complaint"),
    [
        (("pytorch_model.bin", "tokenizer.json"), CONFIG, "its weights are pickled"),
        (("tokenizer.json",), CONFIG, "has no .safetensors file"),
        (("model.safetensors",), CONFIG, "has no tokenizer"),
        (("model.safetensors", "tokenizer.json"), None, "no config.json"),
        (("model.safetensors", "tokenizer.json"), {}, "does not name a model_type"),
        (
            ("model.safetensors", "tokenizer.json"),
            {**CONFIG, "auto_map": {"AutoModel": "evil.Model"}},
            "programs of its own",
        ),
    ],
)
def test_a_folder_that_is_no_safe_model_is_refused(tmp_path, names, config, complaint):
    path = folder(tmp_path / "model", *names, config=config)

    with pytest.raises(InvalidInput, match=complaint):
        only(str(path))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "cannot be read"), (b"PK\x03\x04", "not in GGUF format"), (b"", "not in GGUF format")],
)
def test_a_file_that_is_no_gguf_is_refused(tmp_path, content, complaint):
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(InvalidInput, match=complaint):
        only(str(path))


@pytest.mark.parametrize("n_bytes", range(4, 120, 9))
def test_a_cut_gguf_file_is_left_for_llama_cpp_to_judge(tmp_path, n_bytes):
    path = write_head(tmp_path / "cut.gguf")
    path.write_bytes(path.read_bytes()[:n_bytes])

    (model,) = only(str(path))

    assert model.context_tokens == 2048


@pytest.mark.parametrize(
    ("told", "kept"), [("2027-01-14", "2027-01-14"), ("soon", None), (20270114, None), (None, None)]
)
def test_the_last_day_in_a_models_own_metadata_is_told_on(tmp_path, told, kept):
    config = CONFIG | {"shutdown_date": told}
    path = folder(tmp_path / "old", "model.safetensors", "tokenizer.json", config=config)

    (model,) = only(str(path))

    assert model.shutdown_date == kept
    assert wire.base_model_object(model, "transformers")["shutdown_date"] == kept
