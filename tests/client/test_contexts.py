"""
``with proxy as p``: the object's own context manager where it has one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from tests.support.objects import CustomError, Room, Tally

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


def test_the_objects_own_context_manager_is_entered_and_left(
    server: ProxyServer, worker: Worker
) -> None:
    room = Room()
    code = """
with p as inside:
    seen = p.seen
    seen.append("lost: a copy")
    ref(p).seen.append("within")
    result = inside is p
"""
    assert worker.exec(code, p=server.create_proxy(room)) is True
    assert room.seen == ["in", "within", "out"]


def test_the_object_sees_what_was_raised(server: ProxyServer, worker: Worker) -> None:
    room = Room()
    with pytest.raises(CustomError, match="text"):
        worker.exec("with p: raise CustomError('text')", p=server.create_proxy(room))

    assert room.seen == ["in", "out: CustomError('text')"]


def test_the_object_may_swallow_what_was_raised(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Room(swallows=True))

    assert worker.exec("with p: raise KeyError(1)\nresult = 5", p=proxy) == 5


def test_what_enter_gives_is_given(server: ProxyServer, worker: Worker) -> None:
    class Opening(Room):
        def __enter__(self) -> int:  # type: ignore[override]
            return 7

    proxy = server.create_proxy(Opening())

    assert worker.exec("with p as seven: result = seven", p=proxy) == 7


def test_an_object_without_one_gives_the_proxy(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(3))
    code = "with p as q: result = [q is p, q.value]\nresult.append(p.value)"

    assert worker.exec(code, p=proxy) == [True, 3, 3]


def test_leaving_destroys_nothing_for_others(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(Tally(3))
    worker.exec("with p: pass\ndetach(p)", p=proxy)
    with proxy as here:
        assert here is proxy

    assert proxy.count() == 4
    assert worker.eval("p.count()", p=proxy) == 5
    assert server.running


def test_what_is_raised_in_a_block_without_one_goes_on(
    server: ProxyServer, worker: Worker
) -> None:
    with pytest.raises(KeyError):
        worker.exec("with p: raise KeyError(1)", p=server.create_proxy(Tally()))


def test_a_lock_is_held_within_the_block(server: ProxyServer, worker: Worker) -> None:
    lock = threading.Lock()
    proxy = server.create_proxy(lock)
    code = "with p: result = [p.locked()]\nresult.append(p.locked())"

    assert worker.exec(code, p=proxy) == [True, False]


def test_a_reentrant_lock_may_be_entered_twice(
    server: ProxyServer, worker: Worker
) -> None:
    lock = threading.RLock()
    code = "with p:\n    with p:\n        result = 5"

    assert worker.exec(code, p=server.create_proxy(lock)) == 5
    assert lock.acquire(blocking=False)
    lock.release()


def test_blocks_of_two_objects_nest(server: ProxyServer, worker: Worker) -> None:
    outer, inner = Room(), Room()
    names = {"p": server.create_proxy(outer), "q": server.create_proxy(inner)}
    with pytest.raises(ValueError, match="deep"):
        worker.exec("with p, q: raise ValueError('deep')", **names)

    assert outer.seen == inner.seen == ["in", "out: ValueError('deep')"]


def test_in_the_kernel_the_object_itself_is_entered(server: ProxyServer) -> None:
    room = Room()
    proxy = server.create_proxy(room)
    with proxy as inside:
        assert inside is proxy

    assert room.seen == ["in", "out"]
