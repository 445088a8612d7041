"""A model of transformers with PEFT's adapters, which answers one question at a time."""

import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from trainerbot.errors import InvalidInput
from trainerbot.modelserver.runtimes.base import ContextTooLong
from trainerbot.modelserver.runtimes.memory import resident_bytes_of_this_process
from trainerbot.modelserver.runtimes.transformers_runtime.automaton import (
    Vocabulary,
    token_bytes,
)
from trainerbot.modelserver.runtimes.transformers_runtime.lines import (
    Ask,
    Embed,
    Embedded,
    LoraFiles,
    Setup,
)
from trainerbot.modelserver.runtimes.transformers_runtime.sampling import (
    Bounds,
    Sampler,
    told_logprobs,
)
from trainerbot.modelserver.runtimes.transformers_runtime.text import HeldLogprobs, Text

_MAX_ADAPTERS = 16


class Model:
    """Loads at construction: on the GPU in bfloat16 where there is one, else in float32."""

    def __init__(self, setup: Setup) -> None:
        logging.disable_progress_bar()
        torch.set_num_threads(setup.n_threads)
        self._base = setup.base
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        folder = setup.base.trainable_path(Path(setup.cache))
        # Nothing pickled, no program of the model's own, nothing from the hub.
        safe = {"local_files_only": True, "trust_remote_code": False}
        self._tokenizer = AutoTokenizer.from_pretrained(folder, **safe)
        if not self._tokenizer.chat_template:
            raise InvalidInput(
                f"The base model {setup.base.id} has no chat template, so it cannot chat. Choose "
                "the instruct or chat variant of the model."
            )
        dtype = torch.bfloat16 if self._device == "cuda" else torch.float32
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, **safe
        )
        # PEFT puts its adapters into the plain one.
        self._model: Any = model.to(self._device).eval()
        self._plain: Any = self._model
        self._ends = _ends(model, self._tokenizer)
        # Adapters by their model's id, those used last at the end; names as PEFT has them.
        self._adapters: dict[str, str] = {}
        self._n_adapters = 0

    @property
    def n_bytes(self) -> int:
        """Memory of this process and of its GPU."""
        on_gpu = torch.cuda.memory_reserved() if self._device == "cuda" else 0
        return resident_bytes_of_this_process() + int(on_gpu)

    def count(self, text: str) -> int:
        """Return how many tokens `text` has."""
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def forget(self, adapter_id: str) -> None:
        """Drop the adapter, if it is loaded."""
        name = self._adapters.pop(adapter_id, None)
        if name is not None:
            self._model.delete_adapter(name)

    @torch.inference_mode()
    def answer(self, asked: Ask, is_stopped: Callable[[], bool]) -> Iterator[dict[str, Any]]:
        """Yield chunks in the shape of OpenAI's until the answer ends or nobody waits for it.

        Raises ContextTooLong, InvalidInput.
        """
        prompt = self._prompt(asked)
        self._choose(asked.adapter)
        room = self._base.context_tokens - len(prompt)
        if room < 1:
            raise ContextTooLong(
                f"This model's maximum context length is {self._base.context_tokens} tokens. "
                f"However, your messages resulted in {len(prompt)} tokens. Please reduce the "
                "length of the messages."
            )
        limit = room if asked.max_tokens is None else min(asked.max_tokens, room)
        bounds = None
        if asked.grammar is not None:
            bounds = Bounds(asked.grammar, self._vocabulary, self._ends)
        sampler = Sampler(asked, self._base.sampling, bounds, self._device)
        text = Text(self._tokenizer, asked.stop)
        logprobs = HeldLogprobs()
        yield _chunk("")
        finish_reason, n_written = "length", 0
        unread, past = prompt, None
        while not is_stopped():
            logits, past = self._read(unread, past)
            token = sampler.next(logits)
            unread = [token]
            n_written += 1
            if token in self._ends:
                finish_reason = "stop"
                break
            piece = text.add(token)
            if asked.top_logprobs is not None:
                logprobs.add(told_logprobs(logits, token, asked.top_logprobs, self._written))
            told = logprobs.told_with(piece, text)
            if piece or told:
                yield _chunk(piece, logprobs=told)
            if text.is_stopped or (bounds is not None and bounds.is_over):
                finish_reason = "stop"
                break
            if n_written >= limit:
                break
        else:
            return
        rest = text.end()
        told = logprobs.told_with(rest, text)
        if rest or told:
            yield _chunk(rest, logprobs=told)
        yield {
            **_chunk("", finish_reason),
            "usage": {"prompt_tokens": len(prompt), "completion_tokens": n_written},
        }

    @torch.inference_mode()
    def embed(self, asked: Embed, is_stopped: Callable[[], bool]) -> Iterator[Embedded]:
        """Yield vectors: the mean over an input's tokens of the last layer, of length 1.

        Raises ContextTooLong, InvalidInput.
        """
        self._choose(None)
        most = self._base.context_tokens
        for one in asked.inputs:
            if is_stopped():
                return
            ids = self._tokenizer(one)["input_ids"] if isinstance(one, str) else one
            if len(ids) > most:
                raise ContextTooLong(
                    f"This model's maximum context length is {most} tokens for an input of "
                    "embeddings. Please reduce your input."
                )
            if not ids or max(ids) >= self._plain.config.vocab_size:
                raise InvalidInput("The model cannot read this input: it has no such tokens.")
            told = self._plain.base_model(
                input_ids=torch.tensor([ids], device=self._device), use_cache=False
            )
            mean = told.last_hidden_state[0].float().mean(dim=0)
            vector = torch.nn.functional.normalize(mean, dim=0).cpu().numpy().astype("<f4")
            yield Embedded(asked.number, [vector.tobytes()], len(ids))

    def _prompt(self, asked: Ask) -> list[int]:
        try:
            # As text first: the template writes the special tokens itself.
            text = self._tokenizer.apply_chat_template(
                asked.messages, tokenize=False, add_generation_prompt=True
            )
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise InvalidInput(
                "The model's chat template cannot show this conversation: try it without system "
                "messages, with users and assistant in turns."
            ) from error
        ids: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _read(self, unread: list[int], past: Any) -> tuple[torch.Tensor, Any]:
        """Return the logits of the next token, and what was read so far."""
        told = self._model(
            input_ids=torch.tensor([unread], device=self._device),
            past_key_values=past,
            use_cache=True,
            logits_to_keep=1,
        )
        return told.logits[0, -1].float(), told.past_key_values

    @functools.cached_property
    def _vocabulary(self) -> Vocabulary:
        n_tokens = self._plain.config.vocab_size
        known = token_bytes(self._tokenizer)
        return Vocabulary({token: data for token, data in known.items() if token < n_tokens})

    def _written(self, token: int) -> bytes:
        """Return what a token writes; of one that marks, its name."""
        data = self._vocabulary.tokens.get(token)
        return self._tokenizer.decode([token]).encode() if data is None else data

    def _choose(self, adapter: LoraFiles | None) -> None:
        """Let this adapter work, or none."""
        from peft import PeftModel

        if adapter is None:
            if self._adapters or isinstance(self._model, PeftModel):
                self._model.base_model.disable_adapter_layers()
            return
        name = self._adapters.pop(adapter.id, None)
        if name is None:
            self._n_adapters += 1
            name = f"adapter{self._n_adapters}"
            self._load(adapter, name)
        self._adapters[adapter.id] = name
        self._model.base_model.enable_adapter_layers()
        self._model.set_adapter(name)
        while len(self._adapters) > _MAX_ADAPTERS:
            self._model.delete_adapter(self._adapters.pop(next(iter(self._adapters))))

    def _load(self, adapter: LoraFiles, name: str) -> None:
        from peft import PeftModel

        with tempfile.TemporaryDirectory() as folder:
            # PEFT wants its own names, and takes safetensors where it finds them.
            shutil.copyfile(adapter.config, Path(folder) / "adapter_config.json")
            shutil.copyfile(adapter.weights, Path(folder) / "adapter_model.safetensors")
            if isinstance(self._model, PeftModel):
                self._model.load_adapter(folder, adapter_name=name)
            else:
                self._model = PeftModel.from_pretrained(self._model, folder, adapter_name=name)
            self._model.eval()


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Return the tokens that end an answer, by whoever names them."""
    named = [model.config.eos_token_id, tokenizer.eos_token_id]
    if model.generation_config is not None:
        named.append(model.generation_config.eos_token_id)
    ids: set[int] = set()
    for value in named:
        ids |= set(value) if isinstance(value, list) else {value} if value is not None else set()
    return frozenset(ids)


def _chunk(
    text: str, finish_reason: str | None = None, *, logprobs: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    choice = {
        "delta": {"content": text},
        "finish_reason": finish_reason,
        "logprobs": {"content": logprobs} if logprobs else None,
    }
    return {"choices": [choice]}
