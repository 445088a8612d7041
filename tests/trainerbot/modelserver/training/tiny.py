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


def make_tokenizer(template: str | None = CHATML) -> Any:
    """Return a tokenizer of single bytes, with ChatML's marks as tokens of their own."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers
    from tokenizers.models import BPE
    from transformers import PreTrainedTokenizerFast

    marks = ["<|im_end|>", "<|im_start|>", "<|pad|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: place for place, token in enumerate([*marks, *alphabet])}
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(marks)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token="<|im_end|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=template,
    )


def make_base(folder: Path, *, hidden_size: int = 32, n_layers: int = 2) -> BaseModel:
    """Write the model into `folder`, the same weights every time, and return it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = make_tokenizer()
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=2 * hidden_size,
        num_hidden_layers=n_layers,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
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
