"""Background work: queued as rows, run under a lease, resumed after kill -9.

`submit` queues, a worker's `run_next` claims and runs, `cancel` asks it to
stop. Execution is at least once: a worker killed between an effect and its
checkpoint repeats that step, so steps are made to bear repeating.
"""

from dashboard.services.tasks.handlers import Later, handler
from dashboard.services.tasks.leases import LEASE, Cancelled, LeaseLost, Run
from dashboard.services.tasks.pace import Pace
from dashboard.services.tasks.queue import cancel, claim, submit
from dashboard.services.tasks.worker import Worker, run_next, run_until_finished

__all__ = [
    "LEASE",
    "Cancelled",
    "Later",
    "LeaseLost",
    "Pace",
    "Run",
    "Worker",
    "cancel",
    "claim",
    "handler",
    "run_next",
    "run_until_finished",
    "submit",
]
