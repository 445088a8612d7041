"""A PEFT adapter as GGUF: names, order of rows, scale, and what is refused."""

import json
from pathlib import Path

import pytest

from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.train

BASE = {"model_type": "llama", "num_attention_heads": 4, "num_key_value_heads": 2}
PREFIX = "base_model.model.model.layers.1"


def adapter(folder: Path, tensors, base=BASE, **config) -> tuple[Path, Path]:
    """Write an adapter with its base's config, and return both paths."""
    from safetensors.numpy import save_file

    folder.mkdir(exist_ok=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 8, **config}))
    path = folder / "base_config.json"
    path.write_text(json.dumps(base))
    return folder, path


def converted(folder: Path, tensors, **options):
    from gguf import GGUFReader

    from trainerbot.modelserver.conversion.lora_to_gguf import convert

    source, base_config = adapter(folder, tensors, **options)
    convert(source, base_config, folder / "out.gguf")
    return GGUFReader(folder / "out.gguf")


def pair(module: str, n_out: int, n_in: int = 8):
    import numpy as np

    rows = np.arange(n_out * 2, dtype=np.float32).reshape(n_out, 2)
    return {
        f"{PREFIX}.{module}.lora_A.weight": np.ones((2, n_in), np.float32),
        f"{PREFIX}.{module}.lora_B.weight": rows,
    }


def field(reader, name: str):
    return reader.get_field(name).contents()


def test_every_projection_has_the_name_that_llama_cpp_knows(tmp_path):
    attention = {f"self_attn.{x}_proj": f"attn_{y}" for x, y in zip("qkv", "qkv", strict=True)}
    names = {
        **attention,
        "self_attn.o_proj": "attn_output",
        **{f"mlp.{x}_proj": f"ffn_{x}" for x in ("gate", "up", "down")},
    }
    tensors = {name: t for module in names for name, t in pair(module, 16).items()}

    reader = converted(tmp_path / "a", tensors)

    assert {tensor.name for tensor in reader.tensors} == {
        f"blk.1.{name}.weight.lora_{side}" for name in names.values() for side in "ab"
    }
    assert field(reader, "general.architecture") == "llama"
    assert field(reader, "general.type") == "adapter"
    assert field(reader, "adapter.type") == "lora"
    assert field(reader, "adapter.lora.alpha") == 8.0


def test_rows_of_q_and_k_stand_in_llama_cpps_order_and_no_others(tmp_path):
    tensors = {
        **pair("self_attn.q_proj", 16),
        **pair("self_attn.k_proj", 8),
        **pair("self_attn.v_proj", 8),
    }

    read = {tensor.name: tensor.data for tensor in converted(tmp_path / "a", tensors).tensors}

    # A head of four rows 0 1 2 3: its halves 0 1 and 2 3 become neighbours.
    rows = {name: (data[:, 0] // 2).astype(int).tolist() for name, data in read.items()}
    assert rows["blk.1.attn_q.weight.lora_b"][:8] == [0, 2, 1, 3, 4, 6, 5, 7]
    assert rows["blk.1.attn_k.weight.lora_b"] == [0, 2, 1, 3, 4, 6, 5, 7]
    assert rows["blk.1.attn_v.weight.lora_b"] == list(range(8))
    assert read["blk.1.attn_q.weight.lora_a"].tolist() == [[1.0] * 8] * 2


def test_qwen_keeps_the_order(tmp_path):
    reader = converted(
        tmp_path / "a", pair("self_attn.q_proj", 16), base={**BASE, "model_type": "qwen2"}
    )

    rows = {tensor.name: tensor.data[:, 0].tolist() for tensor in reader.tensors}
    assert rows["blk.1.attn_q.weight.lora_b"] == [2.0 * i for i in range(16)]
    assert field(reader, "general.architecture") == "qwen2"


def test_a_rank_stabilised_scale_is_kept(tmp_path):
    reader = converted(tmp_path / "a", pair("mlp.up_proj", 8), use_rslora=True)

    assert field(reader, "adapter.lora.alpha") == pytest.approx(8 * 2**0.5)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"base": {**BASE, "model_type": "mamba"}}, "of a mamba model"),
        ({"use_dora": True}, "use_dora"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
    ],
)
def test_what_llama_cpp_cannot_apply_is_refused_and_leaves_nothing(tmp_path, options, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        converted(tmp_path / "a", pair("mlp.up_proj", 8), **options)

    assert not list(tmp_path.rglob("*.gguf*"))


def test_an_adapter_on_another_layer_is_refused_and_leaves_nothing(tmp_path):
    import numpy as np

    tensors = {"base_model.model.lm_head.lora_A.weight": np.ones((2, 8), np.float32)}

    with pytest.raises(InvalidInput, match="lm_head"):
        converted(tmp_path / "a", tensors)

    assert not list(tmp_path.rglob("*.gguf*"))
