"""The order in which rows are learned and rehearsed."""

import random
from collections.abc import Iterator, Sized

from torch.utils.data import Sampler


class Mixed(Sampler[int], Sized):
    """Places of an epoch's rows: all `n_own` first ones, and evenly among them `n_extra` others.

    The others are drawn from the `n_pool` places behind the own ones, each as
    often as any: an epoch goes on where the last one stopped. The same seed and
    epoch give the same order, so that a job that resumes sees what it would have.
    """

    def __init__(self, n_own: int, n_extra: int, *, n_pool: int, seed: int) -> None:
        self._n_own = n_own
        self._n_extra = n_extra
        self._n_pool = n_pool
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Begin the epoch, counted from 0, at the next iteration."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._n_own + self._n_extra

    def __iter__(self) -> Iterator[int]:
        own = self._shuffled("own", self._epoch, self._n_own)
        first = self._epoch * self._n_extra
        extra = [
            self._n_own
            + self._shuffled("pool", nth // self._n_pool, self._n_pool)[nth % self._n_pool]
            for nth in range(first, first + self._n_extra)
        ]
        at = [((i + 0.5) / len(own), place) for i, place in enumerate(own)]
        at += [((i + 0.5) / len(extra), place) for i, place in enumerate(extra)]
        return iter([place for _, place in sorted(at)])

    def _shuffled(self, what: str, time: int, n: int) -> list[int]:
        return random.Random(f"{self._seed} {what} {time}").sample(range(n), n)
