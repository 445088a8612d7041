"""A model of transformers with PEFT's adapters, which answers one question at a time."""

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
from trainerbot.modelserver.runtimes.transformers_runtime.lines import Ask, LoraFiles, Setup
from trainerbot.modelserver.runtimes.transformers_runtime.text import Text

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
        self._model: Any = model.to(self._device).eval()
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
        text = Text(self._tokenizer, asked.stop)
        yield _chunk("")
        finish_reason, n_written = "length", 0
        for token in self._tokens(prompt, asked):
            if is_stopped():
                return
            n_written += 1
            if token in self._ends:
                finish_reason = "stop"
                break
            if piece := text.add(token):
                yield _chunk(piece)
            if text.is_stopped:
                finish_reason = "stop"
                break
            if n_written >= limit:
                break
        if rest := text.end():
            yield _chunk(rest)
        yield {
            **_chunk("", finish_reason),
            "usage": {"prompt_tokens": len(prompt), "completion_tokens": n_written},
        }

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

    def _tokens(self, prompt: list[int], asked: Ask) -> Iterator[int]:
        """Yield token after token, for ever."""
        random = torch.Generator(self._device)
        if asked.seed is not None:
            random.manual_seed(asked.seed)
        else:
            random.seed()
        inputs = torch.tensor([prompt], device=self._device)
        past = None
        counts: torch.Tensor | None = None
        while True:
            told = self._model(
                input_ids=inputs, past_key_values=past, use_cache=True, logits_to_keep=1
            )
            past, logits = told.past_key_values, told.logits[0, -1].float()
            if counts is None:
                counts = torch.zeros_like(logits)
            token = _sampled(logits, counts, asked, self._base.sampling, random)
            counts[token] += 1
            yield token
            inputs = torch.tensor([[token]], device=self._device)

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


def _sampled(
    logits: torch.Tensor,
    counts: torch.Tensor,
    asked: Ask,
    defaults: dict[str, float],
    random: torch.Generator,
) -> int:
    """Return the next token, sampled as OpenAI describes it. `counts`: how often each was said."""
    if asked.frequency_penalty:
        logits = logits - asked.frequency_penalty * counts
    if asked.presence_penalty:
        logits = logits - asked.presence_penalty * (counts > 0)
    for token, bias in asked.logit_bias:
        if 0 <= token < len(logits):
            logits[token] += bias
    temperature = asked.temperature
    if temperature is None:
        temperature = defaults.get("temperature", 1.0)
    if temperature < 1e-5:
        return int(logits.argmax())
    probabilities = torch.softmax(logits / temperature, dim=-1)
    top_p = defaults.get("top_p", 1.0) if asked.top_p is None else asked.top_p
    if top_p < 1:
        ordered, places = probabilities.sort(descending=True)
        # The likeliest always stays, however small top_p is.
        ordered[(ordered.cumsum(-1) - ordered) > top_p] = 0
        return int(places[torch.multinomial(ordered, 1, generator=random)])
    return int(torch.multinomial(probabilities, 1, generator=random))


def _chunk(text: str, finish_reason: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": text}, "finish_reason": finish_reason}]}
