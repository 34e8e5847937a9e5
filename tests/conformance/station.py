"""
The process in which the objects live, and the way to put objects there.

::

    runner                                      station
    ┌──────────────────┐  pipe: place, make     ┌─────────────────────────┐
    │ tests ── Station ┼────────────────────────┼─ serve_requests         │
    │   └── proxies ───┼────────────────────────┼─ ProxyServer ── objects │
    └──────────────────┘  what is tested        └─────────────────────────┘

The pipe only makes objects and hands back their proxies. Everything that a test asserts
goes through the proxies.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any

import cloudpickle

from duck_jupyter.proxy import ProxyServer
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from typing_extensions import Self

__all__ = ["CannotBeSent", "Station", "serve_requests"]

#: Seconds until the process has ended after its pipe was closed.
END_S = 10.0


class CannotBeSent(Exception):
    """
    What was to be copied into the station cannot be pickled, or not unpickled there.
    """


class Station:
    """
    A process that holds objects and gives proxies of them.

    A context manager, which closes it. The process is no child of
    `multiprocessing`, because some tests count these.
    """

    def __init__(self) -> None:
        self._pipe, far_end = Pipe()
        number = far_end.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.conformance.station", str(number)],
            cwd=ROOT,
            pass_fds=[number],
        )
        far_end.close()
        # A client's thread starts with what it holds; tests of locks count threads.
        len(self.place({}).keys())

    def place(self, value: Any) -> Any:
        """
        Copy an object into the process.

        Args:
            value: The object.

        Returns:
            The proxy of the copy.

        Raises:
            CannotBeSent: It cannot be pickled.
        """
        return self._ask(_give_back, (value,), {})

    def make(self, maker: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """
        Make an object in the process.

        Args:
            maker: A class or function that makes the object.
            args: Its arguments; proxies among them are the objects themselves there.
            kwargs: The same by name.

        Returns:
            The proxy of the object.

        Raises:
            CannotBeSent: The maker or an argument cannot be pickled.
            Exception: What the maker raises.
        """
        return self._ask(maker, args, kwargs)

    def _ask(self, maker: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        try:
            request = cloudpickle.dumps((maker, args, kwargs))
        except Exception as error:  # the code of a test's class may raise anything
            raise CannotBeSent from error
        self._pipe.send_bytes(request)
        proxy, raised = self._pipe.recv()
        if raised is not None:
            raise raised
        return proxy

    def close(self) -> None:
        """
        End the process and wait until it is gone. Twice is fine.
        """
        self._pipe.close()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _give_back(value: Any) -> Any:
    return value


def serve_requests(pipe: Connection[Any, Any]) -> None:
    """
    Make objects until the other end closes: the main function of the process.

    Args:
        pipe: The end that requests come from.
    """
    with ProxyServer() as server:
        while True:
            try:
                request = pipe.recv_bytes()
            except EOFError:
                return
            pipe.send_bytes(_answer(server, request))


def _answer(server: ProxyServer, request: bytes) -> bytes:
    try:
        maker, args, kwargs = pickle.loads(request)
    except Exception as error:  # the code of a test's class may raise anything
        return pickle.dumps((None, CannotBeSent(repr(error))))
    # A proxy of this server arrives as one that goes straight to its object.
    args = [server.link.server.target_of(x) for x in args]  # type: ignore[union-attr]
    try:
        return pickle.dumps((server.create_proxy(maker(*args, **kwargs)), None))
    except Exception as error:  # the test that asked is to see what the maker raised
        return cloudpickle.dumps((None, error))  # type: ignore[no-any-return]


if __name__ == "__main__":
    serve_requests(Connection(int(sys.argv[1])))
