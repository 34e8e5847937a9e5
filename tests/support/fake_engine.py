"""
An engine for tests: spawned processes that share nothing with the kernel but a pipe.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import pickle
import threading
import weakref
from collections import Counter
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from duck_jupyter.engines.arrivals import drop
from duck_jupyter.engines.engine import EngineWorker, Way
from duck_jupyter.stats.exits import End

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from multiprocessing.connection import Connection

    from duck_jupyter.engines.engine import Kernel, Version

__all__ = ["FakeEngine", "reference_to"]

WAIT_S = 30.0
#: The memory of each worker, in bytes.
MEMORY = 100 << 20
ENDED = End("ended", "closed")


class Reference:
    """
    An argument that the worker loads.
    """

    def __init__(self, load: Callable[..., Any], data: bytes, token: str) -> None:
        self.load, self.data, self.token = load, data, token


def find_references(value: Any) -> Iterable[Reference]:
    """
    List the references in the arguments of a task.
    """
    if isinstance(value, Reference):
        yield value
    elif type(value) in (list, tuple, dict):
        for item in value.values() if type(value) is dict else value:
            yield from find_references(item)


class WorkerSide:
    """
    The loop of a worker.
    """

    def __init__(self, pipe: Connection[Any, Any]) -> None:
        self.pipe = pipe
        self.sending = threading.Lock()
        self.answers: dict[int, tuple[threading.Event, list[bytes]]] = {}
        self.numbers = itertools.count()

    def send(self, *message: Any) -> None:
        with self.sending:
            self.pipe.send(message)

    def ask(self, request: bytes) -> bytes:
        number, arrived, answers = next(self.numbers), threading.Event(), list[bytes]()
        self.answers[number] = arrived, answers
        self.send("ask", number, request)
        assert arrived.wait(WAIT_S)
        return answers[0]

    def filled(self, value: Any) -> Any:
        if isinstance(value, Reference):
            return value.load(value.data, self.ask)
        if type(value) is dict:
            return {key: self.filled(item) for key, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(map(self.filled, value))
        return value

    def run(self, number: int, task: bytes) -> None:
        try:
            func, args, kwargs = pickle.loads(task)
            result = True, func(*self.filled(args), **self.filled(kwargs))
        except BaseException as error:
            result = False, error
        self.send("done", number, result)

    def work(self) -> None:
        while (message := self.pipe.recv()) is not None:
            word, *rest = message
            if word == "task":
                threading.Thread(target=self.run, args=rest, daemon=True).start()
            elif word == "answer":
                arrived, answers = self.answers.pop(rest[0])
                answers.append(rest[1])
                arrived.set()
            else:
                drop(rest[0]["drop"])


#: The workers that this process is: one at most.
_sides: list[WorkerSide] = []


def work(pipe: Connection[Any, Any]) -> None:
    """
    Run the tasks of one worker.
    """
    _sides.append(WorkerSide(pipe))
    with contextlib.suppress(EOFError):
        _sides[0].work()


def ask_from_here(request: bytes) -> bytes:
    """
    Send a request of this worker to the kernel, and return the answer.
    """
    return _sides[0].ask(request)


def reference_to(kernel: Kernel, value: Any) -> Any:
    """
    Return what a task gets in place of a shared object.
    """
    with kernel.replaced(value) as (found, _):
        return found


class FakeEngine:
    """
    An engine with its workers.

    Args:
        count: The number of workers.
    """

    word = "fake"
    link = "http://127.0.0.1:8787/status"

    def __init__(self, count: int = 2) -> None:
        self.kernel: Kernel | None = None
        self._left: set[int] = set()
        self._futures: dict[int, tuple[Future[Any], list[str]]] = {}
        self._numbers = itertools.count()
        self._lock = threading.RLock()
        #: What may ask for each version: itself, and tasks.
        self._users: Counter[str] = Counter()
        self.pipes: list[Connection[Any, Any]] = []
        self.processes: list[Any] = []
        self._threads: list[threading.Thread] = []
        #: Several threads send, and a large message is written in two steps.
        self._sending = threading.RLock()
        context = multiprocessing.get_context("spawn")
        for number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=work, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            self.pipes.append(ours)
            self.processes.append(process)
            thread = threading.Thread(target=self._listen, args=(number,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def _send(self, worker: int, message: Any) -> None:
        with self._sending:
            self.pipes[worker].send(message)

    def _listen(self, worker: int) -> None:
        pipe = self.pipes[worker]
        try:
            while True:
                word, number, rest = pipe.recv()
                if word == "done":
                    self._finish(number, *rest)
                elif self.kernel is not None:
                    answer = self.kernel.answer(f"w{worker}", rest)
                    self._send(worker, ("answer", number, answer))
        except (EOFError, OSError):
            self._left.add(worker)
            if self.kernel is not None:
                self.kernel.left(f"w{worker}", ENDED)

    def _finish(self, number: int, is_good: bool, value: Any) -> None:
        future, tokens = self._futures.pop(number)
        for token in tokens:
            self._release(token)
        if is_good:
            future.set_result(value)
        else:
            future.set_exception(value)

    def _release(self, token: str) -> None:
        with self._lock:
            self._users[token] -= 1
            if self._users[token]:
                return
            del self._users[token]
            kernel = self.kernel
        if kernel is not None:
            kernel.forgotten(token)

    def submit(
        self, func: Callable[..., Any], *args: Any, worker: int = 0, **kwargs: Any
    ) -> Future[Any]:
        """
        Run a task in a worker.
        """
        if self.kernel is None:
            return self._send_task(worker, func, args, kwargs)
        with self.kernel.replaced((args, kwargs)) as ((args, kwargs), _):
            return self._send_task(worker, func, args, kwargs)

    def _send_task(self, worker: int, func: Any, args: Any, kwargs: Any) -> Future[Any]:
        future, number = Future[Any](), next(self._numbers)
        with self._lock:
            found = [each.token for each in find_references((args, kwargs))]
            tokens = list(filter(None, found))
            self._users.update(tokens)
        self._futures[number] = future, tokens
        task = pickle.dumps((func, args, kwargs))
        self._send(worker, ("task", number, task))
        return future

    def attach(self, kernel: Kernel, *, insecure: bool = False) -> None:
        """
        Begin to put references into tasks.
        """
        self.kernel = kernel

    def ways(self) -> tuple[Way, ...]:
        """
        Return an address that only this host reaches.
        """
        return (Way("127.0.0.1", ask=ask_from_here),)

    def reference(
        self, load: Callable[..., Any], data: bytes, version: Version | None
    ) -> Reference:
        """
        Return an argument that the worker loads.
        """
        if version is None:
            return Reference(load, data, "")
        with self._lock:
            if not self._users[version.token]:
                self._users[version.token] = 1
                weakref.finalize(version, self._release, version.token).atexit = False
        return Reference(load, data, version.token)

    def workers(self, within_s: float = 0.0) -> Iterable[EngineWorker]:
        """
        Return the workers.
        """
        return [
            EngineWorker(
                f"w{number}",
                f"here:w{number}",
                process.pid or 0,
                MEMORY,
                "running",
                2 * MEMORY,
                running=len(self._futures),
                waiting=0,
                is_here=True,
            )
            for number, process in enumerate(self.processes)
            if number not in self._left
        ]

    @property
    def dashboard(self) -> str:
        """
        Return the link to a page.
        """
        return self.link

    def tell(self, message: Mapping[str, list[str]]) -> None:
        """
        Send a message to every worker.
        """
        for number in range(len(self.pipes)):
            with contextlib.suppress(OSError):
                self._send(number, ("tell", dict(message)))

    def detach(self) -> None:
        """
        Put references into tasks no more.
        """
        self.kernel = None

    def close(self) -> None:
        """
        End the workers.
        """
        for number in range(len(self.pipes)):
            with contextlib.suppress(OSError):
                self._send(number, None)
        for process in self.processes:
            process.join(WAIT_S)
        for thread in self._threads:
            thread.join(WAIT_S)
        for pipe in self.pipes:
            pipe.close()
