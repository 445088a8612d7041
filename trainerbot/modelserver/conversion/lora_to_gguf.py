"""A LoRA adapter of PEFT as the GGUF adapter that llama.cpp loads beside its base model.

python -m trainerbot.modelserver.conversion.lora_to_gguf ADAPTER_FOLDER BASE_CONFIG OUT.gguf
"""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.blobs import disk_full_in_words

# transformers' model_type -> GGUF's architecture, and whether llama.cpp keeps
# the rows of q and k in another order.
_ARCHITECTURES = {
    "llama": ("llama", True),
    "mistral": ("llama", True),
    "smollm3": ("smollm3", True),
    "qwen2": ("qwen2", False),
    "qwen3": ("qwen3", False),
}
CONVERTIBLE = frozenset(_ARCHITECTURES)
_LAYERS = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_NAME = re.compile(r"(?:.*\.)?layers\.(\d+)\.([a-z_]+\.[a-z_]+)\.lora_([AB])(?:\.\w+)?\.weight")


def convert(adapter: Path, base_config: Path, out: Path) -> None:
    """Write the adapter in the folder `adapter` (PEFT: adapter_model.safetensors) to `out`.

    `base_config` is the base model's config.json. `out` is there whole or not
    at all. Raises InvalidInput for an adapter that llama.cpp cannot apply.
    """
    import gguf
    import numpy as np
    from safetensors import safe_open

    lora = _read(adapter / "adapter_config.json")
    base = _read(base_config)
    if base.get("model_type") not in _ARCHITECTURES:
        raise InvalidInput(
            f"An adapter of a {base.get('model_type')} model cannot be written as GGUF; "
            f"possible are {', '.join(sorted(CONVERTIBLE))}."
        )
    for name in ("use_dora", "modules_to_save", "lora_bias", "rank_pattern", "alpha_pattern"):
        if lora.get(name):
            raise InvalidInput(f"An adapter with {name} cannot be written as GGUF.")
    architecture, permuted = _ARCHITECTURES[base["model_type"]]
    n_heads = {"attn_q": base["num_attention_heads"]}
    n_heads["attn_k"] = base.get("num_key_value_heads") or base["num_attention_heads"]
    # llama.cpp scales by alpha / rank; rank-stabilised LoRA by alpha / sqrt(rank).
    alpha = float(lora["lora_alpha"])
    if lora.get("use_rslora"):
        alpha *= float(lora["r"]) ** 0.5

    draft = out.with_name(f"{out.name}.{os.getpid()}.draft")
    try:
        with disk_full_in_words(), safe_open(adapter / "adapter_model.safetensors", "np") as source:
            writer = gguf.GGUFWriter(draft, architecture)
            writer.add_type(gguf.GGUFType.ADAPTER)
            writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
            writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
            for name in sorted(source.keys()):
                layer, module, side = _parsed(name)
                tensor = source.get_tensor(name).astype(np.float32)
                if side == "B" and permuted and module in n_heads:
                    tensor = _permuted(tensor, n_heads[module])
                # Half precision, as llama.cpp's own converter writes: half the memory.
                writer.add_tensor(
                    f"blk.{layer}.{module}.weight.lora_{side.lower()}",
                    np.ascontiguousarray(tensor.astype(np.float16)),
                )
            writer.write_header_to_file()
            writer.write_kv_data_to_file()
            writer.write_tensors_to_file()
            writer.close()
            with draft.open("r+b") as file:
                os.fsync(file.fileno())
            os.replace(draft, out)
    finally:
        draft.unlink(missing_ok=True)


def _permuted(rows: Any, n_heads: int) -> Any:
    """Return the rows, shape (n_heads * head_size, rank), in llama.cpp's order.

    transformers turns the first half of a head against the second (NeoX),
    llama.cpp's llama turns neighbours.
    """
    half = rows.shape[0] // n_heads // 2
    return rows.reshape(n_heads, 2, half, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def _parsed(name: str) -> tuple[int, str, str]:
    """Return layer, GGUF's name of the module, and "A" or "B"."""
    found = _NAME.fullmatch(name)
    if found is None or found[2] not in _LAYERS:
        raise InvalidInput(
            f"An adapter on {name[:100]} cannot be written as GGUF; possible are the "
            "projections of attention and feed-forward layers."
        )
    return int(found[1]), _LAYERS[found[2]], found[3]


def _read(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


if __name__ == "__main__":
    convert(*(Path(argument) for argument in sys.argv[1:4]))
