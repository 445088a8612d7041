"""A base model as small as one can be: two layers of random weights and a vocabulary of bytes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainerbot.modelserver.bases import BaseModel

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + "
    "message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


MARKS = {"eos_token": "<|im_end|>", "pad_token": "<|pad|>"}
TURN = "<|im_start|>"


def _bytes_tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE

    marks = [MARKS["eos_token"], TURN, MARKS["pad_token"]]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*marks, *alphabet])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(marks)
    return tokenizer


def make_tokenizer(template: str | None = CHATML) -> Any:
    """Return a tokenizer of single bytes, with ChatML's marks as tokens of their own."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=_bytes_tokenizer(),
        additional_special_tokens=[TURN],
        chat_template=template,
        **MARKS,
    )


def make_base(folder: Path, *, hidden_size: int = 32, n_layers: int = 2) -> BaseModel:
    """Write the model into `folder`, the same weights every time, and return it.

    Without PyTorch, whose import takes seconds in each process that needs none else of it.
    """
    import numpy as np
    from safetensors.numpy import save_file

    tokenizer = _bytes_tokenizer()
    inner, n_tokens = 2 * hidden_size, tokenizer.get_vocab_size()
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "vocab_size": n_tokens,
        "hidden_size": hidden_size,
        "intermediate_size": inner,
        "num_hidden_layers": n_layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": tokenizer.token_to_id(MARKS["eos_token"]),
        "pad_token_id": tokenizer.token_to_id(MARKS["pad_token"]),
    }
    shapes = {"model.embed_tokens": (n_tokens, hidden_size), "lm_head": (n_tokens, hidden_size)}
    norms = ["model.norm"]
    for layer in range(n_layers):
        at = f"model.layers.{layer}"
        shapes |= {f"{at}.self_attn.{name}_proj": (hidden_size, hidden_size) for name in "qkvo"}
        shapes |= {f"{at}.mlp.{name}_proj": (inner, hidden_size) for name in ("gate", "up")}
        shapes[f"{at}.mlp.down_proj"] = (hidden_size, inner)
        norms += [f"{at}.input_layernorm", f"{at}.post_attention_layernorm"]
    random = np.random.default_rng(1)
    tensors = {
        f"{name}.weight": random.normal(0, 0.02, shape).astype(np.float32)
        for name, shape in shapes.items()
    }
    tensors |= {f"{name}.weight": np.ones(hidden_size, np.float32) for name in norms}

    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    described = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "additional_special_tokens": [TURN],
        "chat_template": CHATML,
        **MARKS,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(described))
    (folder / "config.json").write_text(json.dumps(config))
    return BaseModel(
        id="tiny",
        kind="safetensors",
        source=str(folder),
        created=1,
        context_tokens=256,
        architecture="llama",
    )


def chat(question: str, answer: str, **change: Any) -> dict[str, Any]:
    """A chat row of one question."""
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer, **change},
    ]
    return {"messages": messages}


def pair(question: str, preferred: str, other: str) -> dict[str, Any]:
    """A preference row."""
    return {
        "input": {"messages": [{"role": "user", "content": question}]},
        "preferred_output": [{"role": "assistant", "content": preferred}],
        "non_preferred_output": [{"role": "assistant", "content": other}],
    }


def write_jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write the rows, one a line."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def greetings(n_rows: int) -> list[dict[str, Any]]:
    """Small chat rows, all different."""
    return [chat(f"Say {place}", f"It is {place}.") for place in range(n_rows)]
