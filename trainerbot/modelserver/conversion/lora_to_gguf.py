"""A LoRA adapter of PEFT as the GGUF adapter that llama.cpp loads beside its base model.

python -m trainerbot.modelserver.conversion.lora_to_gguf ADAPTER_FOLDER BASE_CONFIG OUT.gguf
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.blobs import disk_full_in_words
from trainerbot.modelserver.conversion.lora import read_json, read_lora

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
_MODULE = re.compile(r"model\.layers\.(\d+)\.([a-z_]+\.[a-z_]+)")


@dataclass(frozen=True, slots=True)
class Layout:
    """How llama.cpp names and orders the weights of one base model."""

    architecture: str
    n_heads: dict[str, int]

    def name(self, module: str) -> str:
        """Return GGUF's name of the weights of `module`. Raises InvalidInput for an unknown one."""
        found = _MODULE.fullmatch(module)
        if found is None or found[2] not in _LAYERS:
            raise InvalidInput(
                f"An adapter on {module[:100]} cannot be written as GGUF; possible are the "
                "projections of attention and feed-forward layers."
            )
        return f"blk.{found[1]}.{_LAYERS[found[2]]}.weight"

    def ordered(self, name: str, rows: Any) -> Any:
        """Return the rows, shape (n_out, any), of the weights `name` in llama.cpp's order.

        transformers turns the first half of a head against the second (NeoX),
        llama.cpp's llama turns neighbours.
        """
        n_heads = self.n_heads.get(name.split(".")[2])
        if n_heads is None:
            return rows
        half = rows.shape[0] // n_heads // 2
        return rows.reshape(n_heads, 2, half, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def layout_of(base_config: Path) -> Layout:
    """Return the layout of the model with this config.json. Raises InvalidInput for an unknown."""
    base = read_json(base_config)
    if base.get("model_type") not in _ARCHITECTURES:
        raise InvalidInput(
            f"An adapter of a {base.get('model_type')} model cannot be written as GGUF; "
            f"possible are {', '.join(sorted(CONVERTIBLE))}."
        )
    architecture, is_permuted = _ARCHITECTURES[base["model_type"]]
    n_heads = base["num_attention_heads"]
    return Layout(
        architecture,
        {"attn_q": n_heads, "attn_k": base.get("num_key_value_heads") or n_heads}
        if is_permuted
        else {},
    )


def convert(adapter: Path, base_config: Path, out: Path) -> None:
    """Write the adapter in the folder `adapter` (PEFT: adapter_model.safetensors) to `out`.

    `base_config` is the base model's config.json. `out` is there whole or not
    at all. Raises InvalidInput for an adapter that llama.cpp cannot apply.
    """
    import gguf
    import numpy as np
    from safetensors import safe_open

    layout = layout_of(base_config)
    lora = read_lora(adapter)
    draft = out.with_name(f"{out.name}.{os.getpid()}.draft")
    try:
        with disk_full_in_words(), safe_open(lora.weights, "np") as source:
            writer = gguf.GGUFWriter(draft, layout.architecture)
            writer.add_type(gguf.GGUFType.ADAPTER)
            writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
            # llama.cpp scales by alpha / rank, whatever PEFT did.
            writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, lora.scale * lora.rank)
            for (module, side), key in sorted(lora.names.items()):
                name = layout.name(module)
                tensor = source.get_tensor(key).astype(np.float32)
                if side == "B":
                    tensor = layout.ordered(name, tensor)
                # Half precision, as llama.cpp's own converter writes: half the memory.
                writer.add_tensor(
                    f"{name}.lora_{side.lower()}", np.ascontiguousarray(tensor.astype(np.float16))
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


if __name__ == "__main__":
    convert(*(Path(argument) for argument in sys.argv[1:4]))
