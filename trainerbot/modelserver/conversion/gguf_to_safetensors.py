"""A GGUF file as a folder that transformers, TRL and PEFT read.

    python -m trainerbot.modelserver.conversion.gguf_to_safetensors FILE.gguf CACHE

transformers reads GGUF itself, but marks what it read as quantised, and then
refuses to train it. So the weights are read, made plain, and written once.
"""

import hashlib
import sys
from pathlib import Path

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.conversion.folders import whole_folder


def converted(gguf: Path, cache: Path) -> Path:
    """Return the folder under `cache` with the model of the file `gguf`, made where it is missing.

    The weights are bfloat16. Raises InvalidInput when transformers cannot read
    the file's architecture, StorageFull when the disk takes no more.
    """
    target = cache / _sha256(gguf)
    if target.is_dir():
        return target
    with whole_folder(target) as folder:
        _convert(gguf, folder)
    return target


def _convert(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()  # whoever reads our output reads lines
    try:
        # Only this machine's files are read: no name is looked up on the hub.
        tokenizer = AutoTokenizer.from_pretrained(
            gguf.parent, gguf_file=gguf.name, local_files_only=True
        )
        read = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, local_files_only=True, dtype=torch.float32
        )
    except (ValueError, LookupError, RuntimeError, OSError) as error:
        raise InvalidInput(
            f"The model file {gguf.name} cannot be made trainable: transformers does not read its "
            "architecture or its vocabulary. Give --model a folder of safetensors instead."
        ) from error
    config = read.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    weights = {name: tensor.to(torch.bfloat16) for name, tensor in read.state_dict().items()}
    del read
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(weights)
    if plain.generation_config is not None and tokenizer.eos_token_id is not None:
        plain.generation_config.eos_token_id = tokenizer.eos_token_id
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    sys.stdout.write(f"{converted(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
