"""
Blocks that a thread enters and leaves: an object's lock or its context manager.

An interrupt may come at any instruction, also while ``with`` enters or leaves: between
the server's grant and the body, or before the first line of ``__exit__``. Then no code
leaves the block. So the interpreter itself holds the object that ends the block: the
callable that ``with`` looks up for ``__exit__`` before it enters, and that is made for
this one block. If that callable is dropped before the block was left, the block is
released.

A block may be ended twice: the server knows it by its number.
"""

from __future__ import annotations

import weakref
from functools import partial
from itertools import starmap
from operator import length_hint
from typing import TYPE_CHECKING, Any, TypeVar

from ..protocol.faults import pack_fault
from ..protocol.references import MethodMark
from ..protocol.special_methods import names_in
from ..protocol.values import reduce_main_only

if TYPE_CHECKING:
    from collections.abc import Callable

    from .link import Link

__all__ = ["Block", "Context", "Entering", "Leaving", "LockBlock"]

T = TypeVar("T")


class Block:
    """
    One ``with`` block.

    Args:
        link: The way to the server.
        idx: The object's number.
    """

    __slots__ = ("_guard", "idx", "is_entered", "link", "number", "parts")

    def __init__(self, link: Link, idx: int) -> None:
        self.link: Link = link
        self.idx: int = idx
        #: The number of the block on the server; 0 outside of the block.
        self.number: Any = 0
        self.is_entered: bool = False
        #: The methods that were looked up: "e" for ``__enter__``, "x" for ``__exit__``.
        self.parts: str = ""
        self._guard: _Guard[Any] | None = None

    def leaving(self) -> Callable[..., bool]:
        """
        Return the callable that leaves the block; dropping it ends the block.
        """
        leave: Any = partial(type(self).leave, self)
        self._guard = _Guard(leave, self)
        return leave  # type: ignore[no-any-return]

    def enter(self) -> Any:
        """
        Enter the block and return the value for its body.
        """
        raise NotImplementedError

    def leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        """
        Leave the block.

        Returns:
            True if the object suppressed the exception.
        """
        raise NotImplementedError

    def give_back(self) -> None:
        """
        Let the server end a block that no thread will leave. This does not wait.
        """
        number, self.number = self.number, 0
        if number:
            self.link.end_block(number)

    def _begin(self) -> Any:
        """
        Return the number of the block; it is set here before the server knows it.
        """
        self.link.hold()
        self.number = number = next(self.link.numbers)
        return number

    def _end(self) -> None:
        # The commit point: from here on there is nothing to release.
        self.number = 0
        self._guard = None


class _Guard(weakref.ref[T]):
    """
    Detects when the callable that leaves a block is dropped.
    """

    __slots__ = ("block",)

    block: Block

    def __new__(cls, leave: T, block: Block) -> _Guard[T]:
        """
        Make the reference.
        """
        return super().__new__(cls, leave, _give_back)

    def __init__(self, leave: T, block: Block) -> None:
        self.block = block


def _give_back(guard: _Guard[Any]) -> None:
    guard.block.give_back()


class LockBlock(Block):
    """
    An object's lock, for `locked`.

    Args:
        link: The way to the server.
        idx: The object's number.
        proxy: The value for the body.
        timeout: Seconds to wait for the lock, or None.
    """

    __slots__ = ("_proxy", "_timeout")

    def __init__(self, link: Link, idx: int, proxy: Any, timeout: float | None) -> None:
        super().__init__(link, idx)
        self._proxy = proxy
        self._timeout = timeout

    def enter(self) -> Any:
        """
        Wait for the lock.

        Raises:
            ProxyTimeout: It did not become free in time.
            DeadlockError: Waiting would never end.
        """
        link = self.link
        if link.server is not None:
            self.number: Any = link.server.local_claim(self.idx)
            link.server.local_lock(self.number, self._timeout)
        else:
            link.lock(self.idx, self._begin(), self._timeout)
        return self._proxy

    def leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        """
        Release the lock.
        """
        link = self.link
        if link.server is not None:
            link.server.local_end(self.number)
        else:
            link.desk("unlock", self.idx, self.number)
        self._end()
        return False


class Context(Block):
    """
    An object's own context manager, in a worker.

    Args:
        link: The way to the server.
        idx: The object's number.
        proxy: The value for the body if the object returns itself.
    """

    __slots__ = ("_proxy",)

    def __init__(self, link: Link, idx: int, proxy: Any) -> None:
        super().__init__(link, idx)
        self._proxy = proxy

    def enter(self) -> Any:
        """
        Enter the object's context manager.
        """
        value = self.link.execute(self.idx, "__enter__", (self._begin(),))
        return self._entered(value)

    def _entered(self, value: Any) -> Any:
        self.is_entered = True
        self.link.thread.entered.append(self)
        return self._proxy if type(value) is MethodMark else value

    def leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        """
        Leave the object's context manager, in the thread that entered it.
        """
        entered = self.link.thread.entered
        if not self.is_entered:
            # `__enter__` was called manually: this leaves the block entered last.
            for block in reversed(entered):
                if block.idx == self.idx and "x" not in block.parts:
                    return block.leave(kind, error, trace)
        swallowed = self._leave(kind, error, trace)
        if self in entered:
            entered.remove(self)
        self._end()
        return swallowed

    def _leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        raised = None if error is None else pack_fault(error, reduce_main_only, "")
        return bool(self.link.execute(self.idx, "__exit__", (raised, self.number)))


class ContextHere(Context):
    """
    An object's own context manager, in the server's own process.
    """

    __slots__ = ("_exit", "_left", "_target", "_values")

    def __init__(self, link: Link, idx: int, proxy: Any) -> None:
        super().__init__(link, idx, proxy)
        #: The results of ``__enter__`` and ``__exit__``; empty until they return. C
        #: code calls them and stores the results, so no interrupt can come in between.
        self._values: list[Any] = []
        self._left: list[Any] = []
        self._target: Any = None
        self._exit: Any = None

    def enter(self) -> Any:
        """
        Enter the object's context manager.
        """
        assert self.link.server is not None
        self._target, enter, self._exit = self.link.server.local_context(self.idx)
        self._values.extend(map(enter, (self._target,)))
        (value,) = self._values
        self._entered(None)
        return self._proxy if value is self._target else value

    def _leave(self, kind: Any, error: BaseException | None, trace: Any) -> bool:
        calls = iter(((self._target, kind, error, trace),))
        try:
            self._left.extend(starmap(self._exit, calls))
        except BaseException:
            if not length_hint(calls):
                self._left.append(None)  # it was called once, and not again
            raise
        return bool(self._left[0])

    def give_back(self) -> None:
        """
        Leave the context manager, in the thread that found the abandoned block.
        """
        if self._values and not self._left:
            self._leave(None, None, None)


class Entering:
    """
    The ``__enter__`` of proxies.
    """

    def __get__(self, proxy: Any, owner: Any) -> Any:
        if proxy is None:
            return self
        if not _has_context(proxy):
            return lambda: proxy
        return _find(proxy, "e").enter

    def __call__(self, proxy: Any) -> Any:
        """
        Enter manually, as ``type(proxy).__enter__(proxy)`` does.
        """
        return self.__get__(proxy, type(proxy))()


class Leaving:
    """
    The ``__exit__`` of proxies.
    """

    def __get__(self, proxy: Any, owner: Any) -> Any:
        if proxy is None:
            return self
        if not _has_context(proxy):
            return lambda *exception: proxy._duck_link.detach()
        return _find(proxy, "x").leaving()

    def __call__(self, proxy: Any, *exception: Any) -> Any:
        """
        Leave manually, as ``type(proxy).__exit__(proxy, ...)`` does.
        """
        return self.__get__(proxy, type(proxy))(*exception)


def _has_context(proxy: Any) -> bool:
    return "__enter__" in names_in(proxy._duck_ref.specials)


def _find(proxy: Any, part: str) -> Context:
    """
    Return the block for which Python looks up one of the two methods.

    ``with`` looks up both, one directly after the other, before it calls either.
    """
    link, idx = proxy._duck_link, proxy._duck_idx
    thread = link.thread
    block: Context | None = thread.looked_up
    if block is not None and block.idx == idx and part not in block.parts:
        thread.looked_up = None
        block.parts += part
        return block
    kind = Context if link.server is None else ContextHere
    block = thread.looked_up = kind(link, idx, proxy)
    block.parts = part
    return block
