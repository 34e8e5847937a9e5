"""
Processes for tests: run code in a fresh one, end one, wait until one is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
POLL_S = 0.02


def run_python(code: str, timeout: float = 30.0) -> subprocess.CompletedProcess[str]:
    """
    Run code in a fresh interpreter that can import the package and the tests.

    Args:
        code: What `python -c` gets.
        timeout: Seconds it may take.

    Returns:
        The finished process, with its exit code and both outputs as text.

    Raises:
        subprocess.TimeoutExpired: It took longer, and was killed.
    """
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


class Talk(subprocess.Popen[str]):
    """
    A process that is talked with; in a ``with`` block that fails it is killed.
    """

    def __exit__(self, *error: Any) -> None:
        """
        Close the pipes, and wait for the end.
        """
        if error[0] is not None:
            # It may wait for its input, and a thread of ours for its output.
            self.kill()
        super().__exit__(*error)


def start_python(code: str, *words: str) -> Talk:
    """
    Start code in a fresh interpreter, as `run_python` does, and talk with it.

    Args:
        code: What `python -c` gets.
        words: Its `sys.argv[1:]`.

    Returns:
        The process, with pipes for its input and both outputs as text.
    """
    return Talk(
        [sys.executable, "-c", code, *words],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill(pid: int) -> None:
    """
    End a process at once and without a word, as the kernel's OOM killer does.
    """
    os.kill(pid, signal.SIGKILL)


def is_gone(pid: int) -> bool:
    """
    Tell whether a process has ended, even if its parent has not yet noticed.
    """
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_gone(pid: int, deadline: float = 5.0) -> None:
    """
    Wait until a process has ended.

    Args:
        pid: The process.
        deadline: Seconds to wait at most.

    Raises:
        AssertionError: It is still there; the message shows its command line.
    """
    if not wait_until(lambda: is_gone(pid), deadline):
        raise AssertionError(f"{describe(pid)} still runs after {deadline} s")


def wait_until(condition: Callable[[], bool], deadline: float = 5.0) -> bool:
    """
    Wait until a condition holds that nobody announces.

    Args:
        condition: Asked again and again; cheap, and without side effects.
        deadline: Seconds to wait at most.

    Returns:
        Whether it held in time.
    """
    end = time.monotonic() + deadline
    never = threading.Event()
    while not condition():
        if time.monotonic() >= end:
            return False
        never.wait(POLL_S)
    return True


def describe(pid: int) -> str:
    """
    Name a process so that a reader of a failure knows which one it is.
    """
    try:
        process = psutil.Process(pid)
        command = " ".join(process.cmdline()) or process.name()
        return f"process {pid} ({process.status()}): {command}"
    except psutil.Error:
        return f"process {pid} (gone)"
