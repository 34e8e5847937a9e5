"""
A crowd of workers, each a process that has called once and stays.
"""

from __future__ import annotations

import multiprocessing
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

__all__ = ["crowd_of"]

CALL_S = 60.0
END_S = 10.0


@contextmanager
def crowd_of(count: int, target: Any) -> Iterator[None]:
    """
    Let so many processes use an object, and stay as long as the block lasts.
    """
    # They are there at once, and share most of their memory.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["duck_jupyter.proxy", __name__])
    ours, theirs = context.Pipe()
    processes = []
    for i in range(count):
        process = context.Process(
            target=stay, args=(target, ours, theirs), name=f"crowd-{i}", daemon=True
        )
        process.start()
        processes.append(process)
    try:
        for _ in range(count):
            if not ours.poll(CALL_S):
                raise RuntimeError(f"not all {count} have called after {CALL_S} s")
            ours.recv()
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(END_S)
        ours.close()
        theirs.close()


def stay(target: Any, ours: Connection, theirs: Connection) -> None:
    """
    Be one of the crowd.
    """
    ours.close()
    theirs.send(target.a)
    # Nobody writes to it.
    theirs.poll(None)
