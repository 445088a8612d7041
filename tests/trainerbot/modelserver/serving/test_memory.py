"""What is loaded stays under the limit: who was used longest ago goes first."""

import pytest

from trainerbot.modelserver.runtimes.base import Overloaded
from trainerbot.modelserver.runtimes.memory import Memory, TooLarge

MIB = 1024 * 1024


class Machine:
    """A process whose size grows and shrinks with what is loaded."""

    def __init__(self, limit_mib: int) -> None:
        self.n_bytes = 30 * MIB
        self.memory = Memory(limit_mib, resident_bytes=lambda: self.n_bytes)


class Model:
    """A model that takes so much memory."""

    def __init__(self, machine: Machine, mib: int) -> None:
        self.machine = machine
        self.n_bytes = mib * MIB
        self.is_idle = True
        self.is_loaded = False

    async def load(self, *, expected_mib: int | None = None) -> None:
        async def load() -> None:
            self.is_loaded = True
            self.machine.n_bytes += self.n_bytes

        expected = self.n_bytes if expected_mib is None else expected_mib * MIB
        await self.machine.memory.load(self, load, key=id(self), expected_bytes=expected)

    async def unload(self) -> None:
        self.is_loaded = False
        self.machine.n_bytes -= self.n_bytes


async def test_the_one_used_longest_ago_makes_room():
    machine = Machine(300)
    first, second, third = (Model(machine, 100) for _ in range(3))
    for model in (first, second, third):
        await model.load()
    machine.memory.used(first)

    await Model(machine, 50).load()

    assert (first.is_loaded, second.is_loaded, third.is_loaded) == (True, False, True)
    assert machine.memory.used_bytes == 250 * MIB


async def test_a_busy_one_is_passed_over():
    machine = Machine(200)
    busy, idle = Model(machine, 100), Model(machine, 100)
    await busy.load()
    await idle.load()
    busy.is_idle = False

    await Model(machine, 100).load()

    assert (busy.is_loaded, idle.is_loaded) == (True, False)


async def test_when_all_are_busy_the_next_one_waits_its_turn_in_words():
    machine = Machine(150)
    busy, other = Model(machine, 100), Model(machine, 100)
    await busy.load()
    busy.is_idle = False

    with pytest.raises(Overloaded, match="leave no memory"):
        await other.load()

    assert (busy.is_loaded, other.is_loaded) == (True, False)


async def test_one_that_can_never_fit_unloads_nobody():
    machine = Machine(150)
    small, large = Model(machine, 100), Model(machine, 200)
    await small.load()

    with pytest.raises(TooLarge, match="needs about 200 MiB"):
        await large.load()

    assert (small.is_loaded, large.is_loaded) == (True, False)


async def test_what_a_load_really_took_counts_and_is_remembered():
    machine = Machine(150)
    small, sly = Model(machine, 40), Model(machine, 200)
    await small.load()

    with pytest.raises(TooLarge):
        await sly.load(expected_mib=10)
    assert not sly.is_loaded
    assert small.is_loaded

    # The second time nothing has to be loaded to know.
    machine.n_bytes = 0
    with pytest.raises(TooLarge):
        await sly.load(expected_mib=10)
    assert machine.n_bytes == 0


async def test_a_failed_load_takes_no_memory():
    machine = Machine(100)
    model = Model(machine, 50)

    async def fail() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await machine.memory.load(model, fail, key="x", expected_bytes=MIB)

    assert machine.memory.used_bytes == 0
