"""
Workers that attach while the publisher goes on: each sees one state, and no mix.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import random
import threading
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.handles import Handle
from duck_jupyter.data.store import Store
from duck_jupyter.errors import VersionGone
from tests.support.processes import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

pytestmark = pytest.mark.slow

DEADLINE_S = 30.0
#: Most are of many pages; the last one shares its pages with the index and the head.
LENGTHS = (30_000, 3, 10_000, 700)
#: A worker tries handles a second time so often, after each new one.
TRIES = 4
STATES = 250


class Torn(Exception):
    """
    What was seen is of no one state.
    """


def state_of(number: int) -> dict[str, Any]:
    """
    Give arrays whose every number is that of the state.
    """
    return {str(length): np.full(length, number) for length in LENGTHS}


def change(value: dict[str, Any], number: int) -> None:
    for array in value.values():
        array[:] = number


def check(value: dict[str, Any], number: int) -> None:
    assert len(value) == len(LENGTHS)
    for name, array in value.items():
        low, high = int(array.min()), int(array.max())
        if not low == high == number:
            raise Torn(f"array {name} of state {number} holds {low} to {high}")


def attach_often(handles: Connection[Any, Any], seed: int, gone: Any) -> None:
    """
    Attach what comes, keep some for a while, write to some, and look again.

    Args:
        handles: Where they come.
        seed: Of what is left to chance.
        gone: Set when memory was found to be another state's by now.
    """
    chance = random.Random(seed)
    kept: list[tuple[int, dict[str, Any]]] = []
    seen: list[tuple[int, bytes]] = []
    again = count = 0
    try:
        while handles.poll(DEADLINE_S) and (came := handles.recv()):
            number, data = came
            value = rebuild(data, writable=chance.random() < 0.8)
            check(value, number)
            count += 1
            kept.append((number, value))
            if value["30000"].flags.writeable and chance.random() < 0.3:
                change(value, -number)
                kept[-1] = (-number, value)
            del value
            while len(kept) > chance.randrange(5):
                number, value = kept.pop(chance.randrange(len(kept)))
                check(value, number)
                del value
            # One handle is good for one worker; later it is right or refused. That is
            # tried while the next state is published in the same memory.
            seen = [*seen[-2:], came]
            for _ in range(TRIES):
                again += 1
                number, data = chance.choice(seen)
                try:
                    check(rebuild(data, writable=False), number)
                except VersionGone:
                    gone.set()
        for number, value in kept:
            check(value, number)
        handles.send((count, again))
    except BaseException as error:
        handles.send(repr(error))


class Rivals:
    """
    Workers that attach what they are sent, and tell in the end how it was.
    """

    def __init__(self, method: str, count: int) -> None:
        context: Any = multiprocessing.get_context(method)
        pipes = [context.Pipe() for _ in range(count)]
        #: A worker has found that memory was used again.
        self.gone = context.Event()
        self.ends = [near for near, _ in pipes]
        self.workers = [
            context.Process(
                target=attach_often, args=(far, seed, self.gone), daemon=True
            )
            for seed, (_, far) in enumerate(pipes)
        ]
        for worker in self.workers:
            worker.start()
        for _, far in pipes:
            far.close()

    def finish(self) -> list[Any]:
        for end in self.ends:
            with contextlib.suppress(BrokenPipeError):
                end.send(None)
        return [end.recv() if end.poll(DEADLINE_S) else "late" for end in self.ends]

    def close(self) -> None:
        for end, worker in zip(self.ends, self.workers, strict=True):
            end.close()
            worker.terminate()
            worker.join(DEADLINE_S)


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


@pytest.mark.parametrize(("method", "count"), [("fork", 2), ("fork", 4), ("spawn", 3)])
def test_each_worker_sees_one_state_whole(
    method: str, count: int, store: Store
) -> None:
    chance = random.Random(f"{method} {count}")
    publication = store.publication("value")
    value = state_of(0)
    rivals = Rivals(method, count)
    sent = 0
    try:
        latest = time.monotonic() + DEADLINE_S
        for number in itertools.count(1):
            # It is worth the name of a race once memory was used again.
            is_raced = rivals.gone.is_set() or time.monotonic() > latest
            if number >= STATES and is_raced:
                break
            change(value, number)
            for end in chance.choices(rivals.ends, k=chance.randrange(1, 3)):
                handle = publication.handle(value)
                assert isinstance(handle, Handle)
                with contextlib.suppress(BrokenPipeError):  # it has something to say
                    end.send((number, encoded(handle)))
                sent += 1
            if chance.random() < 0.1:  # as if the pool's feeder were gone for a while
                threading.Event().wait(0.002)
            if number >= STATES:  # so that the next state has memory to use again
                wait_until(lambda: publication.versions().awaited == 0)
        told = rivals.finish()
    finally:
        rivals.close()
    assert all(isinstance(one, tuple) for one in told), told
    assert sum(one[0] for one in told) == sent
    assert rivals.gone.is_set()
    assert wait_until(lambda: publication.versions().awaited == 0)


def test_states_reuse_the_memory_of_those_that_were_dropped(store: Store) -> None:
    """
    With one worker that drops what it got, two versions do for any number of states.
    """
    publication = store.publication("value")
    value = state_of(0)
    files = set()
    for number in range(200):
        change(value, number)
        handle = publication.handle(value)
        assert isinstance(handle, Handle)
        files.add(handle.file)
        check(rebuild(encoded(handle)), number)
    assert len(files) == 1
    assert publication.versions().kept == 1


def test_threads_that_hand_over_one_object_get_its_states(store: Store) -> None:
    """
    Handles of one publication are given out by many threads at once.
    """
    publication = store.publication("value")
    value = state_of(7)
    told: list[Any] = []

    def pass_on() -> None:
        for _ in range(100):
            handle = publication.handle(value)
            assert isinstance(handle, Handle)
            check(rebuild(encoded(handle)), 7)
        told.append(True)

    threads = [threading.Thread(target=pass_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert told == [True] * 4
    assert publication.versions().kept == 1
