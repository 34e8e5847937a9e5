"""
Waiting for many bells, with whatever the system has.
"""

from __future__ import annotations

import select
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.proxy import ProxyServer
from duck_jupyter.server import loop
from duck_jupyter.transport.doorbells import HEAR_EVERY, Bells, EdgeBells
from tests.support.objects import Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workers import Worker

KINDS = [Bells, EdgeBells] if hasattr(select, "epoll") else [Bells]
SHORT_S = 0.05
DEADLINE_S = 10.0


@pytest.fixture(params=KINDS)
def bells(request: pytest.FixtureRequest) -> Iterator[Bells]:
    """
    Every way of waiting that this system has.
    """
    made = request.param()
    yield made
    made.close()


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """
    The two ends of a doorbell.
    """
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def test_a_bell_gives_its_owner(bells: Bells, ends: Any) -> None:
    here, there = ends
    bells.add(here, "owner")
    assert bells.wait(SHORT_S) == []
    there.send(b"b")
    assert [owner for owner, _ in bells.wait(DEADLINE_S)] == ["owner"]


def test_a_bell_that_was_heard_may_ring_again(bells: Bells, ends: Any) -> None:
    here, there = ends
    bells.add(here, "owner")
    for _ in range(3 * HEAR_EVERY):
        there.send(b"b")
        ((owner, must_hear),) = bells.wait(DEADLINE_S)
        assert owner == "owner"
        if must_hear:
            here.recv(4096)
    here.setblocking(False)
    with pytest.raises(BlockingIOError):
        # At the end of a round all was heard; nothing piles up.
        here.recv(4096)


def test_the_other_sides_end_has_to_be_heard(bells: Bells, ends: Any) -> None:
    here, there = ends
    bells.add(here, "owner")
    there.close()
    assert bells.wait(DEADLINE_S) == [("owner", True)]


def test_a_bell_that_was_taken_out_is_silent(bells: Bells, ends: Any) -> None:
    here, there = ends
    bells.add(here, "owner")
    bells.remove(here)
    bells.remove(here)
    there.send(b"b")
    assert bells.wait(SHORT_S) == []


def test_a_bell_may_be_given_to_another_owner(bells: Bells, ends: Any) -> None:
    here, there = ends
    bells.add(here, "stranger")
    bells.give(here, "caller")
    there.send(b"b")
    assert [owner for owner, _ in bells.wait(DEADLINE_S)] == ["caller"]
    bells.remove(here)
    there.send(b"b")
    assert bells.wait(SHORT_S) == []


def test_one_may_be_added_while_another_thread_waits(bells: Bells, ends: Any) -> None:
    here, there = ends
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.extend(bells.wait(DEADLINE_S)))
    waiter.start()
    bells.add(here, "owner")
    there.send(b"b")
    waiter.join(DEADLINE_S)
    assert [owner for owner, _ in found] == ["owner"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_answers_with_either(
    kind: type[Bells], monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    monkeypatch.setattr(loop, "make_bells", kind)
    with ProxyServer() as server:
        proxy = server.create_proxy(Tally(0))
        assert worker.eval("[p.count() for _ in range(200)][-1]", p=proxy) == 200
