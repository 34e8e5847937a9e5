"""
Objects whose own code raises or blocks: only whoever asked them is affected.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import ProxyTimeout, RemoteError
from duck_jupyter.proxy import Frame, ProxyServer
from tests.support.processes import wait_until
from tests.support.raw import far

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 20.0


class Trouble(Exception):
    """
    What they raise.
    """


def trouble(*_: object) -> Any:
    raise Trouble("asked")


class Raises:
    """
    Every question to it raises.
    """

    def __init__(self) -> None:
        self.known = 1

    __eq__ = __ne__ = __hash__ = __repr__ = __str__ = __bool__ = trouble
    __getattr__ = __len__ = __iter__ = __contains__ = __dir__ = trouble
    __call__ = __getitem__ = __enter__ = __format__ = trouble

    def __exit__(self, *_: object) -> None:
        pass

    def method(self) -> Any:
        return 2


class Gate:
    """
    Where the code of an object waits, until the test lets it go on.
    """

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.open = threading.Event()

    def wait(self, *_: object) -> Any:
        self.reached.set()
        assert self.open.wait(DEADLINE_S)
        return True


class Blocks:
    """
    Every question to it waits at a gate.
    """

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def _wait(self, *_: object) -> Any:
        return self.gate.wait()

    __eq__ = __bool__ = __contains__ = __getitem__ = __call__ = _wait

    def __hash__(self) -> int:
        return int(self._wait())

    def __len__(self) -> int:
        return int(self._wait())

    def __repr__(self) -> str:
        return str(self._wait())

    def __getattr__(self, name: str) -> Any:
        if name == "slow":
            return self.gate.wait()
        raise AttributeError(name)

    def __del__(self) -> None:
        self.gate.wait()


class Plain:
    """
    What the others use meanwhile.
    """

    value = 5

    def make(self, gate: Gate) -> Blocks:
        return Blocks(gate)


class Mute(Exception):
    """
    An exception that has no text and cannot be pickled.
    """

    __str__ = __repr__ = __reduce__ = trouble


class Thrower:
    """
    Raises what is hard to send.
    """

    def mute(self) -> None:
        raise Mute

    def leave(self) -> None:
        raise SystemExit(3)

    def interrupt(self) -> None:
        raise KeyboardInterrupt

    def deep(self) -> None:
        self.deep()


@pytest.fixture
def good(server: ProxyServer) -> Iterator[Any]:
    """
    A client of another object, which is served as ever before and after.
    """
    with far(server.create_proxy(Plain())) as proxy:
        assert proxy.value == 5
        yield proxy
        assert proxy.value == 5


QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "getattr": lambda p: p.unknown,
    "eq": lambda p: p == 1,
    "ne": lambda p: p != 1,
    "hash": hash,
    "bool": bool,
    "len": len,
    "iter": list,
    "contains": lambda p: 1 in p,
    "call": lambda p: p(),
    "getitem": lambda p: p[0],
    "enter": lambda p: p.__enter__(),
    "format": lambda p: f"{p:>10}",
    "dir": dir,
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_an_object_raises_comes_to_whoever_asked(
    server: ProxyServer, good: Any, name: str
) -> None:
    with far(server.create_proxy(Raises(), name="raises")) as proxy:
        for _ in range(2):
            with pytest.raises(Trouble, match="asked") as caught:
                QUESTIONS[name](proxy)
            assert "trouble" in str(caught.value.__cause__)
        assert proxy.known == 1
        assert proxy.method() == 2
        # What people see of it asks the object nothing.
        assert "Raises" in repr(proxy)
    assert good.value == 5


def test_an_object_that_raises_can_be_shared_unshared_and_counted(
    server: ProxyServer, good: Any
) -> None:
    one, two = Raises(), Raises()
    first = server.create_proxy(one)
    assert server.create_proxy(one)._duck_idx == first._duck_idx
    assert server.create_proxy(two)._duck_idx != first._duck_idx
    assert repr(server.statistics())
    server.retarget(first, two)
    server.remove_proxy(first)
    assert server.statistics().proxies


def test_an_object_that_raises_can_be_an_argument_and_a_result(
    server: ProxyServer,
) -> None:
    box: list[Any] = []
    near = server.create_proxy(Raises())
    with far(server.create_proxy(box)) as proxy:
        proxy.append(near)
        proxy.extend([near, (near,)])
    # Its proxy belongs to another link, so that it came as what it is here: a proxy.
    assert len(box) == 3


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mute", RemoteError),
        ("leave", SystemExit),
        ("interrupt", KeyboardInterrupt),
        ("deep", RecursionError),
    ],
)
def test_what_is_hard_to_send_arrives_all_the_same(
    server: ProxyServer, good: Any, name: str, kind: Any
) -> None:
    with far(server.create_proxy(Thrower())) as proxy:
        for _ in range(3):
            with pytest.raises(kind):
                getattr(proxy, name)()
    assert server.statistics().errors


def in_thread(job: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=job)
    thread.start()
    return thread


BLOCKING: dict[str, Callable[[Any], Any]] = {
    "getattr": lambda p: p.slow,
    "eq": lambda p: p == 1,
    "hash": hash,
    "bool": bool,
    "len": len,
    "contains": lambda p: 1 in p,
    "call": lambda p: p(),
    "getitem": lambda p: p[0],
}


@pytest.mark.parametrize("name", BLOCKING)
def test_an_object_that_blocks_delays_only_whoever_asked(
    server: ProxyServer, good: Any, name: str
) -> None:
    gate = Gate()
    with far(server.create_proxy(Blocks(gate))) as proxy:
        threads = [in_thread(lambda: BLOCKING[name](proxy)) for _ in range(4)]
        try:
            assert gate.reached.wait(DEADLINE_S)
            for _ in range(20):
                assert good.value == 5
            assert "Blocks" in repr(proxy)
            assert repr(server.statistics())
            server.create_proxy(Blocks(gate))
        finally:
            gate.open.set()
            for thread in threads:
                thread.join(DEADLINE_S)
        assert not any(thread.is_alive() for thread in threads)


def test_a_call_that_blocks_can_be_given_up(server: ProxyServer, good: Any) -> None:
    gate = Gate()
    with far(server.create_proxy(Blocks(gate))) as proxy:
        try:
            frame = Frame(2, [proxy._duck_idx, "__call__", [], {}])
            with pytest.raises(ProxyTimeout, match="may still be working"):
                proxy.get_response(frame, timeout=0.1)
            # The late answer is the answer to nothing.
            assert proxy.gate is not None
        finally:
            gate.open.set()


def test_a_destructor_that_blocks_or_raises_delays_nobody(
    server: ProxyServer, good: Any
) -> None:
    gate = Gate()
    near: Any = server.create_proxy(Blocks(gate))
    thread = in_thread(lambda: server.remove_proxy(near))
    try:
        assert gate.reached.wait(DEADLINE_S)
        for _ in range(20):
            assert good.value == 5
        server.create_proxy(Plain())
    finally:
        gate.open.set()
        thread.join(DEADLINE_S)


def test_a_chained_object_whose_destructor_blocks_delays_nobody(
    server: ProxyServer, good: Any, worker: Any
) -> None:
    """
    It goes when the worker that held it drops it.
    """
    gate = Gate()
    plain = server.create_proxy(Plain())
    keeper = server.create_proxy(gate)
    worker.exec(
        "result = type(plain.make(keeper)).__name__", plain=plain, keeper=keeper
    )
    try:
        assert gate.reached.wait(DEADLINE_S)
        for _ in range(50):
            assert good.value == 5
        with far(plain) as other:
            assert other.value == 5
    finally:
        gate.open.set()
    assert wait_until(lambda: good.value == 5)
