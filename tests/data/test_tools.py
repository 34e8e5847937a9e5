"""
Locks, queues and connections inside an object arrive where multiprocessing lets them.
"""

from __future__ import annotations

import multiprocessing
from typing import Any

import pytest

from duck_jupyter.data.pickling import dump, load
from duck_jupyter.errors import DataEncodeError


class Carried:
    """
    An object that a starting process gets the way the data plane takes it apart.
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def __reduce__(self) -> Any:
        dumped = dump(self.value, "value")
        return load, (dumped.head, [bytes(buffer) for buffer in dumped.buffers])


def use_them(tools: Any) -> None:
    lock, queue, connection = tools["lock"], tools["queue"], tools["connection"]
    with lock:
        queue.put("through the queue")
        connection.send("through the connection")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_tools_of_multiprocessing_arrive_in_a_starting_process(method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    lock, queue = context.Lock(), context.SimpleQueue()
    near, far = context.Pipe()
    tools = Carried({"lock": lock, "queue": queue, "connection": far})
    process = context.Process(target=use_them, args=(tools,))
    process.start()
    far.close()
    assert queue.get() == "through the queue"
    assert near.recv() == "through the connection"
    process.join()
    near.close()
    queue.close()


def test_a_lock_of_multiprocessing_goes_nowhere_else() -> None:
    tools = {"lock": multiprocessing.get_context("spawn").Lock()}
    with pytest.raises(DataEncodeError, match=r"^tools\['lock'\] is a .*inheritance"):
        dump(tools, "tools")
