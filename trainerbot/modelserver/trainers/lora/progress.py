"""Between TRL's trainer and the server: measures, checkpoints, pauses, early ends."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from accelerate import PartialState
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainerbot.modelserver.trainers.lora.faults import Diverged
from trainerbot.modelserver.trainers.lora.keeping import Keeper
from trainerbot.modelserver.trainers.task import PAUSE, Estimate, Report, Saved, Step, Told

Tell = Callable[[Report], None]
# `agree(x)` is what the first of several processes says of x.
Agree = Callable[[int], int]

_ESTIMATE_EVERY_S = 5.0
# An epoch may take hours; a kill costs no more than this.
_SAVE_EVERY_S = 300.0
_PAUSE, _SAVE = 1, 2
_STEPS = "steps.json"
# TRL's names of what DPO measures.
_REWARDS = {"reward_margin": "rewards/margins", "reward_accuracy": "rewards/accuracies"}


class Progress(TrainerCallback):
    """Tells a Step after every step, and a Saved after every epoch.

    `main` is whether this process tells and writes; several processes decide
    the same. `patience` is how many epochs the validation loss may fail to
    fall, 0 for all of them.
    """

    def __init__(
        self,
        keeper: Keeper,
        *,
        work: Path,
        steps_per_epoch: int,
        measures_valid: bool,
        patience: int,
        tell: Tell,
        agree: Agree,
        main: bool,
        done_steps: int,
        done_checkpoints: list[int],
        finish_model: Callable[[Path], None],
    ) -> None:
        self._keeper = keeper
        self._pause = work / PAUSE
        self._steps_per_epoch = steps_per_epoch
        self._measures_valid = measures_valid
        self._patience = patience
        self._tell = tell if main else _say_nothing
        self._agree = agree
        self._main = main
        self._done_steps = done_steps
        self._done_checkpoints = done_checkpoints
        self._finish_model = finish_model
        self._train: dict[str, float] = {}
        self._begun = (0.0, 0)
        self._estimated = 0.0
        self._saved = time.monotonic()
        self.steps: list[Step] = []
        self.paused = False

    # --- what was, of a job that goes on --------------------------------------

    def go_on_from(self, checkpoint: Path) -> None:
        """Remember what was measured up to `checkpoint`, and tell what was not heard of it."""
        self.steps = measured_up_to(checkpoint)
        for step in self.steps:
            if step.step > self._done_steps:
                self._tell(step)
        if not self._main:
            return
        newest = self.steps[-1].step
        ends_epoch = {newest} if newest % self._steps_per_epoch == 0 else set()
        # The server may have died with more than one of them unheard.
        for step_number in sorted(ends_epoch | self._keeper.unstored()):
            self._tell_model(step_number)

    @property
    def best(self) -> Step | None:
        """The epoch with the least validation loss, the first of equal ones."""
        measured = [step for step in self.steps if step.valid_loss is not None]
        return min(measured, key=lambda step: step.valid_loss or 0.0, default=None)

    @property
    def patience_over(self) -> bool:
        """Whether the validation loss has not fallen for `patience` epochs."""
        if not self._patience or self.best is None:
            return False
        since = [step for step in self.steps if step.valid_loss is not None]
        return len(since) - 1 - since.index(self.best) >= self._patience

    # --- what TRL calls -------------------------------------------------------

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the clock; a job that had its last epoch trains no more."""
        self._begun = (time.monotonic(), state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Decide what follows this step."""
        control.should_log = True
        if self._ends_epoch(state):
            control.should_evaluate = self._measures_valid
            control.should_save = True
        wanted = _PAUSE * self._pause.exists()
        wanted |= _SAVE * (time.monotonic() - self._saved > _SAVE_EVERY_S)
        wanted = self._agree(wanted)
        control.should_save |= bool(wanted)
        if wanted & _PAUSE:
            self.paused = control.should_training_stop = True
        self._estimate(state)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Tell the step: after its validation, where it has one. Raises Diverged."""
        logs = logs or {}
        if "loss" in logs:
            self._train = dict(logs)
            if not math.isfinite(logs["loss"]):
                raise Diverged(state.global_step)
            if not control.should_evaluate:
                self._step(state, {})
        elif "eval_loss" in logs:
            self._step(state, logs)
            control.should_training_stop |= self.patience_over

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Call the checkpoint whole, and hand its model over when an epoch ended."""
        self._saved = time.monotonic()
        # Each of several processes has written a part of it.
        PartialState().wait_for_everyone()
        if not self._main:
            return
        step = state.global_step
        folder = self._keeper.checkpoint(step)
        (folder / _STEPS).write_bytes(msgspec.json.encode(self.steps))
        is_best = self.best is not None and self.best.step == step
        if is_best:
            self._keeper.keep_best(step)
        self._keeper.complete(step)
        if is_best:
            self._keeper.forget_best_but(step)
        if self._ends_epoch(state):
            self._tell_model(step)
        if control.should_training_stop and self.patience_over and self.best is not None:
            self._tell(
                Told(
                    "early-stop",
                    f"The validation loss has not fallen for {self._patience} epochs: stopping "
                    f"early, with the model of step {self.best.step}",
                )
            )

    # --- inside ---------------------------------------------------------------

    def _ends_epoch(self, state: TrainerState) -> bool:
        return bool(state.global_step % self._steps_per_epoch == 0)

    def _step(self, state: TrainerState, valid: dict[str, float]) -> None:
        train = self._train
        step = Step(
            step=state.global_step,
            total_steps=state.max_steps,
            train_loss=_rounded(train.get("loss")) or 0.0,
            train_mean_token_accuracy=_rounded(train.get("mean_token_accuracy")) or 0.0,
            valid_loss=_rounded(valid.get("eval_loss")),
            valid_mean_token_accuracy=_rounded(valid.get("eval_mean_token_accuracy")),
            **{name: _rounded(train.get(source)) for name, source in _REWARDS.items()},
            **{
                f"valid_{name}": _rounded(valid.get(f"eval_{source}"))
                for name, source in _REWARDS.items()
            },
        )
        self.steps.append(step)
        if step.step > self._done_steps:
            self._tell(step)

    def _tell_model(self, step: int) -> None:
        """Hand the model of `step` over, unless the server has it."""
        if step in self._done_checkpoints:
            return
        folder = self._keeper.models / str(step)
        if not folder.exists():
            folder = self._keeper.model(self._keeper.checkpoint(step), str(step))
        self._finish_model(folder)
        measured = next(s for s in reversed(self.steps) if s.step == step)
        self._tell(Saved(str(folder), measured))

    def _estimate(self, state: TrainerState) -> None:
        now = time.monotonic()
        begun, first = self._begun
        n_steps = state.global_step - first
        if n_steps >= 2 and now - self._estimated >= _ESTIMATE_EVERY_S:
            self._estimated = now
            left_s = (now - begun) / n_steps * (state.max_steps - state.global_step)
            self._tell(Estimate(round(time.time() + left_s)))


def measured_up_to(checkpoint: Path) -> list[Step]:
    """Return what was told up to a whole checkpoint."""
    return msgspec.json.decode((checkpoint / _STEPS).read_bytes(), type=list[Step])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _say_nothing(report: Report) -> None:
    """Another process tells it."""
