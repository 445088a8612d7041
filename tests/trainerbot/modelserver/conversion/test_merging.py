"""An adapter worked into a GGUF base, and a GGUF base made trainable."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from trainerbot.errors import InvalidInput

pytestmark = pytest.mark.train

N_HEADS, N_IN = 2, 32


def write_base(path: Path):
    """Write a GGUF model of two tensors, one of them quantised, and return them as numbers."""
    import gguf
    import numpy as np

    random = np.random.default_rng(0)
    plain = {
        name: random.normal(size=(8, N_IN)).astype(np.float32)
        for name in ("blk.0.attn_q.weight", "blk.0.ffn_up.weight")
    }
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_head_count(N_HEADS)
    writer.add_head_count_kv(N_HEADS)
    writer.add_token_list(["a", "b"])
    for name, values in plain.items():
        kind = gguf.GGMLQuantizationType.Q4_1
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(path: Path):
    import gguf

    reader = gguf.GGUFReader(path)
    return reader, {
        tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        for tensor in reader.tensors
    }


def write_adapter(folder: Path, module: str):
    """Write an adapter of rank 1 on `module`, and return what it adds."""
    import numpy as np
    from safetensors.numpy import save_file

    random = np.random.default_rng(1)
    a, b = random.normal(size=(1, N_IN)), random.normal(size=(8, 1))
    key = f"base_model.model.model.layers.0.{module}.lora_"
    folder.mkdir()
    save_file(
        {f"{key}A.weight": a.astype(np.float32), f"{key}B.weight": b.astype(np.float32)},
        folder / "adapter_model.safetensors",
    )
    (folder / "adapter_config.json").write_text(json.dumps({"r": 1, "lora_alpha": 2}))
    return 2 * (b @ a)


def merged(folder: Path, base: Path, *, kind: str = "gguf") -> list[dict[str, object]]:
    """Merge in a process as the server does, and return what it told."""
    task = {
        "kind": kind,
        "base_kind": "gguf",
        "base_source": str(base),
        "architecture": "llama",
        "adapter": str(folder / "adapter"),
        "cache": str(folder / "cache"),
        "out": str(folder / "out"),
    }
    told = subprocess.run(
        [sys.executable, "-m", "trainerbot.modelserver.conversion.merging"],
        input=msgspec.json.encode(task),
        capture_output=True,
        check=True,
        timeout=120,
    )
    return [msgspec.json.decode(line) for line in told.stdout.splitlines()]


def test_a_merged_gguf_has_the_adapter_in_llama_cpps_order_and_keeps_the_rest(tmp_path):
    import numpy as np

    write_base(tmp_path / "base.gguf")
    added = write_adapter(tmp_path / "adapter", "self_attn.q_proj")

    told = merged(tmp_path, tmp_path / "base.gguf")

    assert told[-1]["refused"] is None
    reader, now = read(tmp_path / "out" / "model.gguf")
    _, before = read(tmp_path / "base.gguf")
    # A head of rows 0 1 2 3: its halves become neighbours.
    order = [0, 2, 1, 3, 4, 6, 5, 7]
    expected = before["blk.0.attn_q.weight"] + added[order]
    np.testing.assert_allclose(now["blk.0.attn_q.weight"], expected, atol=0.1)
    np.testing.assert_array_equal(now["blk.0.ffn_up.weight"], before["blk.0.ffn_up.weight"])
    assert reader.get_field("tokenizer.ggml.tokens").contents() == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_adapter_of_another_model_is_refused_and_leaves_nothing(tmp_path):
    write_base(tmp_path / "base.gguf")
    write_adapter(tmp_path / "adapter", "mlp.down_proj")

    told = merged(tmp_path, tmp_path / "base.gguf")

    assert "made for another one" in str(told[-1]["refused"])
    assert not (tmp_path / "out").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base.gguf"]


def test_a_gguf_file_that_transformers_cannot_read_is_refused_and_leaves_nothing(tmp_path):
    from trainerbot.modelserver.conversion.gguf_to_safetensors import converted

    write_base(tmp_path / "base.gguf")

    with pytest.raises(InvalidInput, match="cannot be made trainable"):
        converted(tmp_path / "base.gguf", tmp_path / "cache")

    assert list((tmp_path / "cache").iterdir()) == []
