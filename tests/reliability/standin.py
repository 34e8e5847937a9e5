"""
Something else than the product that serves the objects: simple, slow, and right.

The harness is tried with it. Each call has a connection of its own, which ends with the
call, however that ends; one loop answers all. What a call took counts as taken when the
client has stored a byte in memory that both share, which no signal can split.
"""

from __future__ import annotations

import asyncio
import functools
import mmap
import pickle
import queue
import socket
import struct
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .targets import Items, Proxies, Targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["serve_plainly"]

METHODS = frozenset({"acquire", "add", "echo", "get", "give", "release", "take"})
SIZE = struct.Struct("Q")
CALLS = 1 << 16
POLL_S = 0.0005
#: Turns of the loop in which it reads whatever has arrived.
TURNS = 20
START_S = 10.0


class Stand:
    """
    The client's side: a stand-in for a proxy.

    Args:
        path: The server's socket.
        kept: The shared bytes, one for each call.
        name: The object.
    """

    def __init__(self, path: str, kept: mmap.mmap, name: str) -> None:
        self.__dict__.update(_path=path, _kept=kept, _name=name)
        self.__dict__["_mine"] = threading.local()

    def _connect(self, method: str, args: tuple[Any, ...]) -> tuple[Any, int, Any]:
        caller = socket.socket(socket.AF_UNIX)
        caller.connect(self._path)
        data = pickle.dumps((self._name, method, args))
        caller.sendall(SIZE.pack(len(data)) + data)
        (size,) = SIZE.unpack(_read(caller, SIZE.size))
        index, value, error = pickle.loads(_read(caller, size))
        if error is not None:
            raise error
        return value, index, caller

    def _ask(self, method: str, *args: Any) -> Any:
        # The connection closes when it is forgotten: to close it here would be one more
        # line in which an interrupt could come after the answer is kept.
        value, index, _caller = self._connect(method, args)
        try:
            self._kept[index] = 1
            return value
        except BaseException:
            # In Python 3.10 an interrupt may come between any two instructions.
            self._kept[index] = 0
            raise

    def _acquire(self, *args: Any) -> Any:
        # The lock is held as long as the connection.
        value, _, caller = self._connect("acquire", args)
        try:
            if value:
                self._mine.held = caller
            return value
        except BaseException:
            self._mine.held = None
            raise

    def _release(self) -> None:
        caller, self._mine.held = self._mine.held, None
        caller.shutdown(socket.SHUT_WR)
        _read(caller, 1)

    def __getattr__(self, name: str) -> Any:
        if name == "acquire":
            return self._acquire
        if name == "release":
            return self._release
        if name in METHODS:
            return functools.partial(self._ask, name)
        return self._ask("getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._ask("setattr", name, value)

    def __iter__(self) -> Stand:
        return self

    def __next__(self) -> Any:
        return self._ask("next")

    def __enter__(self) -> Stand:
        try:
            self._acquire(True)
            return self
        except BaseException:
            self._mine.held = None
            raise

    def __exit__(self, *_: object) -> None:
        self._release()


@contextmanager
def held(lock: Stand, proxy: Stand, timeout: float | None = None) -> Iterator[Stand]:
    """
    Stand in for `locked`.
    """
    wait_s = -1 if timeout is None else timeout
    taken, _, caller = lock._connect("acquire", (True, wait_s))
    if not taken:
        caller.close()
        raise TimeoutError
    yield proxy
    caller.shutdown(socket.SHUT_WR)
    _read(caller, 1)
    caller.close()


def _read(caller: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = caller.recv(size - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


class Server:
    """
    The server's side: a loop in a thread.
    """

    def __init__(self, objects: dict[str, Any], path: str) -> None:
        self.kept = mmap.mmap(-1, CALLS)
        self._objects = objects
        self._path = path
        self._free = list(range(CALLS))
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """
        Serve, until `stop`.
        """
        self._thread.start()
        assert self._started.wait(START_S)

    def stop(self) -> None:
        """
        End the loop and its thread.
        """
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        serving = asyncio.start_unix_server(self._serve, self._path, limit=1 << 22)
        server = self._loop.run_until_complete(serving)
        self._started.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        index = self._free.pop()
        undo: Callable[[], None] | None = None
        try:
            (size,) = SIZE.unpack(await reader.readexactly(SIZE.size))
            data = await reader.readexactly(size)
            name, method, args = pickle.loads(data)
            self.kept[index] = 0
            value, error = None, None
            try:
                value, undo = await self._do(name, method, args, reader)
            except (queue.Empty, AttributeError, TypeError) as raised:
                error = raised
            answer = pickle.dumps((index, value, error))
            writer.write(SIZE.pack(len(answer)) + answer)
            await writer.drain()
            await reader.read()
        except (OSError, EOFError):
            # The client has gone, which is seen below.
            pass
        finally:
            if undo is not None and not self.kept[index]:
                # First whatever the client asked for before it went.
                for _ in range(TURNS):
                    await asyncio.sleep(0)
                undo()
            self._free.append(index)
            await self._close(writer)

    async def _close(self, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"x")
            writer.close()
            await writer.wait_closed()
        except OSError:
            return

    async def _do(
        self, name: str, method: str, args: tuple[Any, ...], reader: Any
    ) -> tuple[Any, Callable[[], None] | None]:
        """
        Do what was asked, and say how it is undone.
        """
        target = self._objects[name]
        if method == "acquire":
            patience_s = args[1] if len(args) > 1 else -1
            taken = await self._poll(lambda: target.acquire(False), patience_s, reader)
            return bool(taken), target.release if taken else None
        if method == "get":
            patience_s = args[1] if len(args) > 1 else -1 if not args else 0
            item = await self._poll(lambda: take(target), patience_s, reader)
            if item is None:
                raise queue.Empty
            return item, functools.partial(give_back, target, item)
        if method == "next":
            return next(target), None
        if method in ("getattr", "setattr"):
            function = getattr if method == "getattr" else setattr
            return function(target, *args), None
        return getattr(target, method)(*args), None

    async def _poll(
        self, attempt: Callable[[], Any], patience_s: float, reader: Any
    ) -> Any:
        end = self._loop.time() + patience_s
        while True:
            if reader.at_eof():
                raise EOFError
            if found := attempt():
                return found
            if patience_s >= 0 and self._loop.time() >= end:
                return None
            await asyncio.sleep(POLL_S)


def take(items: Items) -> int | None:
    """
    Take an item, or None where there is none.
    """
    try:
        return items.get_nowait()
    except queue.Empty:
        return None


def give_back(items: Items, item: int) -> None:
    """
    Put an item back that nobody got.
    """
    with items.mutex:
        items.queue.appendleft(item)


@contextmanager
def serve_plainly(targets: Targets) -> Iterator[Proxies]:
    """
    Serve the objects to forked workers.
    """
    objects = {
        "board": targets.board,
        "items": targets.items,
        "stream": targets.stream.numbers(),
        "gate": targets.gate,
        "held": threading.Lock(),
        **{f"latch {i}": latch for i, latch in enumerate(targets.latches)},
    }
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        path = str(Path(folder) / "s")
        server = Server(objects, path)
        server.start()
        stands = {name: Stand(path, server.kept, name) for name in objects}
        yield Proxies(
            stands["board"],
            stands["items"],
            stands["stream"],
            stands["gate"],
            [stands[f"latch {i}"] for i in range(len(targets.latches))],
            functools.partial(held, stands["held"]),
        )
        server.stop()
