"""A base model with an adapter worked into its weights, as safetensors or GGUF.

    python -m trainerbot.modelserver.conversion.merging < task.json

Reads a MergeTask on stdin, and tells Merged lines on stdout as it goes on. It
holds one file of weights, or one tensor of a GGUF file, at a time, and makes
no model: what it needs of memory is a shard of the base model.
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from trainerbot.errors import InvalidInput, TrainerBotError
from trainerbot.modelserver.conversion import GGUF_NAME
from trainerbot.modelserver.conversion.folders import whole_folder
from trainerbot.modelserver.conversion.lora import Lora, read_lora
from trainerbot.modelserver.conversion.lora_to_gguf import Layout
from trainerbot.modelserver.conversion.trainable import folder_of

# Of the base's folder: no program, nothing pickled, no weights but those written here.
_KEPT = (".json", ".txt", ".model", ".jinja")

Tell = Callable[[float], None]


class MergeTask(msgspec.Struct, frozen=True):
    """What to merge. `adapter` and `out` are absolute folders; `out` appears whole or not at all.

    `base_kind`, `base_source` and `architecture` are those of a bases.BaseModel.
    """

    kind: Literal["safetensors", "gguf"]
    base_kind: str
    base_source: str
    architecture: str | None
    adapter: str
    cache: str
    out: str


class Merged(msgspec.Struct, frozen=True):
    """How much is done, in 0..1, and the sentence that ended it, if one did."""

    progress: float
    refused: str | None = None


def main() -> None:
    """Do one task."""
    if hasattr(os, "nice"):
        os.nice(5)  # answers come first
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=MergeTask)
    try:
        with whole_folder(Path(task.out)) as folder:
            if task.kind == "gguf":
                _merge_gguf(task, folder, _tell)
            else:
                _merge_safetensors(task, folder, _tell)
    except TrainerBotError as error:
        _write(Merged(0.0, str(error)))
    except BrokenPipeError:
        os._exit(1)  # the server died; half a folder was removed above


def _tell(progress: float) -> None:
    _write(Merged(round(progress, 3)))


def _write(line: Merged) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _merge_safetensors(task: MergeTask, folder: Path, tell: Tell) -> None:
    import torch
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    base = folder_of(task.base_kind, task.base_source, Path(task.cache))
    lora = read_lora(Path(task.adapter))
    waiting = set(lora.modules)
    shards = sorted(base.glob("*.safetensors"))
    with safe_open(lora.weights, "pt") as adapter:
        for number, shard in enumerate(shards):
            tensors = load_file(shard)
            for place, (name, weights) in enumerate(tensors.items()):
                tell((number + place / len(tensors)) / len(shards))
                module = name.removesuffix(".weight")
                if module not in waiting:
                    continue
                waiting.discard(module)
                a, b = (adapter.get_tensor(lora.names[module, side]).float() for side in "AB")
                delta = lora.scale * (b @ a)
                if lora.fan_in_fan_out:
                    delta = delta.T
                if delta.shape != weights.shape:
                    raise _wrong_base()
                tensors[name] = (weights.to(torch.float32) + delta).to(weights.dtype).contiguous()
            save_file(tensors, folder / shard.name, metadata={"format": "pt"})
            del tensors
    if waiting:
        raise _wrong_base()
    for path in base.iterdir():
        if path.suffix in _KEPT and path.is_file():
            shutil.copyfile(path, folder / path.name)


def _merge_gguf(task: MergeTask, folder: Path, tell: Tell) -> None:
    import gguf
    import numpy as np
    from safetensors import safe_open

    if task.base_kind != "gguf":
        raise InvalidInput(
            "This base model is no GGUF file, so there is none to merge the adapter into. Export "
            "format=merged, and convert it with llama.cpp's own convert_hf_to_gguf.py."
        )
    reader = gguf.GGUFReader(Path(task.base_source))
    layout = _layout(reader, task.architecture)
    lora = read_lora(Path(task.adapter))
    changed = {layout.name(module): module for module in lora.modules}
    if not changed.keys() <= {tensor.name for tensor in reader.tensors}:
        raise _wrong_base()

    writer = gguf.GGUFWriter(folder / GGUF_NAME, str(task.architecture))
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name == gguf.Keys.General.ARCHITECTURE:
            continue  # the writer's own
        kind = field.types[0]
        inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type=inner)
    kinds = {}
    for tensor in reader.tensors:
        shape, kind = [int(n) for n in tensor.shape[::-1]], tensor.tensor_type
        if tensor.name in changed:
            kind = _precise(gguf, shape[-1])
            stored = gguf.quant_shape_to_byte_shape(shape, kind)
            n_bytes, dtype = int(np.prod(stored)), np.dtype(np.uint8)
            writer.add_tensor_info(tensor.name, stored, dtype, n_bytes, kind)
        else:
            data = tensor.data
            writer.add_tensor_info(tensor.name, data.shape, data.dtype, data.nbytes, kind)
        kinds[tensor.name] = kind
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    with safe_open(lora.weights, "np") as adapter:
        for number, tensor in enumerate(reader.tensors):
            tell(number / len(reader.tensors))
            data = tensor.data
            if tensor.name in changed:
                plain = gguf.quants.dequantize(data, tensor.tensor_type)
                added = _delta(np, adapter, lora, changed[tensor.name])
                added = layout.ordered(tensor.name, added)
                if added.shape != plain.shape:
                    raise _wrong_base()
                data = gguf.quants.quantize(plain + added, kinds[tensor.name])
                data = np.ascontiguousarray(data).view(np.uint8)
            writer.write_tensor_data(data)
    writer.close()


def _delta(np: Any, adapter: Any, lora: Lora, module: str) -> Any:
    a, b = (adapter.get_tensor(lora.names[module, side]).astype(np.float32) for side in "AB")
    return lora.scale * (b @ a)


def _precise(gguf: Any, n_in: int) -> Any:
    """Return the kind of a changed tensor: 8 bits lose next to nothing, and need rows of 32."""
    return gguf.GGMLQuantizationType.Q8_0 if n_in % 32 == 0 else gguf.GGMLQuantizationType.F16


def _layout(reader: Any, architecture: str | None) -> Layout:
    def number(name: str) -> int:
        return int(reader.get_field(f"{architecture}.attention.{name}").contents())

    if architecture not in ("llama", "smollm3"):
        return Layout(str(architecture), {})
    return Layout(architecture, {"attn_q": number("head_count"), "attn_k": number("head_count_kv")})


def _wrong_base() -> InvalidInput:
    return InvalidInput("The adapter does not fit this base model: it was made for another one.")


if __name__ == "__main__":
    main()
