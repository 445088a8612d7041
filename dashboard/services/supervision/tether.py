"""Run a command that ends when the process that started it ends, however that happens.

    python -I -S tether.py PARENT_PID NICENESS COMMAND ARGS...

A script, not a module: it runs before the command, in the standard library
only, and on Linux becomes it. There the kernel is told to kill the command
with its parent. Elsewhere this process stays, holds a pipe from the parent as
its stdin, and kills the command when the pipe closes.
"""

import os
import signal
import subprocess
import sys
import threading

PR_SET_PDEATHSIG = 1


def become(parent_pid: int, command: list[str]) -> None:
    """Become the command, tied to the parent by the kernel."""
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        sys.exit("The supervisor ended before this could start.")
    # Whatever reads stdin must find its end, not a pipe that nobody writes to.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.execv(command[0], command)


def guard(command: list[str]) -> int:
    """Run the command beside this process and return its exit code."""
    # The command gets the same signals, its group being ours; it decides when to end.
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        if number := getattr(signal, name, None):
            signal.signal(number, _stay)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    watcher = threading.Thread(target=_kill_at_end_of_input, args=[process], daemon=True)
    watcher.start()
    code = process.wait()
    return code if code >= 0 else 128 - code


def _stay(number: int, frame: object) -> None:
    """Take a signal and do nothing. (To ignore it would be inherited by the command.)"""


def _kill_at_end_of_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        continue
    process.kill()


def main(arguments: list[str]) -> int:
    parent_pid, niceness, *command = arguments
    if sys.platform != "win32":
        os.nice(int(niceness))
    if sys.platform == "linux":
        become(int(parent_pid), command)
    return guard(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
