"""
Hold: the state of an object at one moment, kept for handles that are made later.

Pools pickle a task some time after it was submitted. The state of the submitted object
is held until then, and each pickle gets its own handle.
"""

from __future__ import annotations

import itertools
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from .attach import encoded, reduced
from .handles import Handle

if TYPE_CHECKING:
    from collections.abc import Callable

    from .handles import Inline
    from .inplace import Inplace
    from .publication import Publication
    from .versions import Version

__all__ = ["Encoded", "Hold", "InplaceHold", "let_go"]

#: Functions that release states after their holds were dropped. A destructor may run
#: anywhere, also while a lock is held that the release needs, so it only notes the
#: function here.
_numbers = itertools.count()
_dropped: deque[Callable[[], None]] = deque()


class Hold:
    """
    One state of an object. It pickles as the object in that state.

    Args:
        publication: The publication of the object.
        target: The object.
        on_handed: Called with each handle that is made.

    Raises:
        ProxyError: As for `Publication.handle`.
    """

    __slots__ = (
        "__weakref__",
        "_handle",
        "_made",
        "_on_handed",
        "_publication",
        "_release",
    )

    def __init__(
        self,
        publication: Publication,
        target: Any,
        on_handed: Callable[[Handle | Inline], object] | None = None,
    ) -> None:
        self._on_handed = on_handed
        let_go()
        lent = publication.lend(target)
        self._publication = publication
        self._handle = lent.handle
        self._made: list[Callable[[], None]] = []
        version = publication.at_work(self._find)
        holders: set[int] = set() if version is None else version.held_by
        number = next(_numbers)
        holders.add(number)

        def give_up() -> None:
            holders.discard(number)
            lent.give_up()

        self._release = weakref.finalize(self, _dropped.append, give_up)
        self._release.atexit = False

    def release(self) -> None:
        """
        Release the state, and the handles that were made. Repeated calls do nothing.

        If a hold is only dropped, its handles can still arrive.
        """
        while self._made:
            self._made.pop()()
        self._release()
        let_go()

    @property
    def nonce(self) -> bytes:
        """
        A value that differs between states of one object.
        """
        held = self._handle
        return held.nonce if isinstance(held, Handle) else encoded(held)

    def handle(self) -> Handle | Inline:
        """
        Make a handle for one process.
        """
        handle = self._publication.at_work(self._make)
        if self._on_handed is not None:
            self._on_handed(handle)
        return handle

    def _find(self) -> Version | None:
        held = self._handle
        return self._publication.find(held.nonce) if isinstance(held, Handle) else None

    def _make(self) -> Handle | Inline:
        version = self._find()
        if version is None:
            # The server was stopped, and the process that unpickles the handle gets the
            # error; or the handle has the data itself.
            return self._handle
        lent = version.lend()
        self._made.append(lent.give_up)
        if not self._release.alive:
            # Its task has ended meanwhile, and no process will take the handle.
            lent.give_up()
        return lent.handle

    def __reduce__(self) -> Any:
        return reduced(self.handle())


class InplaceHold:
    """
    Stands for an object in place. There is only its present state.

    Args:
        inplace: The object's memory.
        target: The object.
        on_handed: Called with each handle that is made.
    """

    __slots__ = ("_inplace", "_on_handed", "_target")

    def __init__(
        self, inplace: Inplace, target: Any, on_handed: Callable[[Handle], object]
    ) -> None:
        self._inplace = inplace
        self._target = target
        self._on_handed = on_handed

    def release(self) -> None:
        """
        Do nothing: no state is kept.
        """

    @property
    def nonce(self) -> bytes:
        """
        A value that differs between memories.
        """
        return self._inplace.nonce

    def handle(self) -> Handle:
        """
        Make a handle for one process.

        Raises:
            NotShareable: As for `Inplace.handle`.
        """
        handle = self._inplace.handle(self._target)
        self._on_handed(handle)
        return handle

    def __reduce__(self) -> Any:
        return reduced(self.handle())


class Encoded:
    """
    Pickles as a new handle to a held state, as bytes.
    """

    __slots__ = ("hold",)

    def __init__(self, hold: Hold | InplaceHold) -> None:
        self.hold: Hold | InplaceHold = hold

    def __reduce__(self) -> Any:
        return bytes, (encoded(self.hold.handle()),)


def let_go() -> None:
    """
    Release the states whose holds were dropped.
    """
    while _dropped:
        _dropped.popleft()()
