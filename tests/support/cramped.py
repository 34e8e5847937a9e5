"""
A kernel with little room, and its workers.

``python -m tests.support.cramped SCENE FOLDER``, where the folder is for the spool. It
prints what happened as JSON. Nothing here asserts: the test does.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from duck_jupyter.client.fetching import fetch
from duck_jupyter.memory import folders
from duck_jupyter.memory.allocation import fill, with_room
from duck_jupyter.memory.spool import SpoolWarning, use_spool
from duck_jupyter.proxy import ProxyServer
from tests.support.small import confine, fill_up

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

LARGE = 24 * 2**20
SMALL_MB = 16


class Store:
    """
    An object of the kernel's that takes and gives large values.
    """

    def take(self, data: Any) -> int:
        return int(data.sum())

    def give(self) -> bytes:
        return bytes(LARGE)


def attempt(step: Callable[[], int]) -> int | str:
    """
    Give the result of a step, or its error in words.
    """
    try:
        return step()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def ask(store: Any, array: Any, answers: Connection[Any, Any]) -> None:
    """
    Do in a worker what takes room, and tell how each went.
    """
    seen = note_warnings()
    steps: dict[str, Callable[[], int]] = {
        "sent": lambda: int(store.take(np.ones(LARGE, np.uint8))),
        "given": lambda: len(store.give()),
        "fetched": lambda: int(fetch(array).sum()),
        "small": lambda: int(store.take(np.ones(3, np.uint8))),
    }
    told: dict[str, Any] = {name: attempt(step) for name, step in steps.items()}
    answers.send(told | {"warnings": seen})


def note_warnings() -> list[str]:
    """
    Let this process write down what goes to the spool folder, every time.
    """
    seen: list[str] = []

    def note(message: Warning | str, *_: Any) -> None:
        if isinstance(message, SpoolWarning):
            seen.append(str(message))

    warnings.showwarning = note  # type: ignore[assignment]
    warnings.simplefilter("always")
    return seen


def serve() -> dict[str, Any]:
    """
    Serve a worker of each start method, and tell what they and the kernel met.
    """
    seen = note_warnings()
    told: dict[str, Any] = {}
    with ProxyServer() as server:
        store = server.create_proxy(Store())
        array = server.create_proxy(np.ones(LARGE, np.uint8))
        for method in ("spawn", "fork"):
            context: Any = multiprocessing.get_context(method)
            # A queue has semaphores, which take shared memory themselves.
            answers, far_end = context.Pipe()
            worker = context.Process(target=ask, args=(store, array, far_end))
            worker.start()
            far_end.close()
            told[method] = answers.recv()
            worker.join()
            answers.close()
        told["lives"] = int(store.take(np.ones(7, np.uint8)))
    return told | {"warnings": seen}


def spooled(folder: Path) -> dict[str, Any]:
    """
    Have no shared memory left, and room on disk.
    """
    mounted = confine(SMALL_MB)
    fill_up(folders.MEMORY_FOLDER)
    use_spool(str(folder))
    told = serve() | {"mounted": mounted}
    return told | {"left": [path.name for path in folder.iterdir()]}


def full(folder: Path) -> dict[str, Any]:
    """
    Have little room in shared memory, and little in the spool folder.
    """
    mounted = confine(SMALL_MB, (folder, SMALL_MB))
    use_spool(str(folder))
    return serve() | {"mounted": mounted}


def race(folder: Path) -> dict[str, Any]:
    """
    Have room in shared memory, until the moment when it is written to.
    """
    size = 10 * 2**20
    mounted = confine(SMALL_MB)
    use_spool(str(folder))
    if not mounted:
        folders.MEMORY_FOLDER = Path("/dev/shm")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    places: list[str] = []

    def write(fd: int) -> None:
        places.append(str(Path(f"/proc/self/fd/{fd}").readlink().parent))
        if mounted and len(places) == 1:
            fill_up(folders.MEMORY_FOLDER)
        elif not mounted:
            most = size // 2 if len(places) == 1 else limit[0]
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, limit[1]))
        fill(fd, size)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        fd = with_room(size, write)
    found = os.fstat(fd)
    return {
        "places": places,
        "bytes": found.st_blocks * 512,
        "warnings": [str(warning.message) for warning in seen],
    }


if __name__ == "__main__":
    scenes = {"spooled": spooled, "full": full, "race": race}
    sys.stdout.write(json.dumps(scenes[sys.argv[1]](Path(sys.argv[2]))))
