"""
Hold: the state of an object at one moment, kept for handles that are still to be made.

Pools pickle a task some time after it was submitted. What was submitted is held until
then, and each pickle takes a handle of its own.
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
    from .publication import Publication
    from .versions import Version

__all__ = ["Encoded", "Hold", "let_go"]

#: What gives up the states that nobody holds any more. A destructor may run anywhere,
#: also where a lock is held that giving up needs: it only notes it here.
_numbers = itertools.count()
_dropped: deque[Callable[[], None]] = deque()


class Hold:
    """
    One state of an object. Pickled, it is the object in that state.

    Args:
        publication: Of the object.
        target: The object.
        on_handed: Called with each handle that is made.

    Raises:
        ProxyError: As `Publication.handle`.
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
        Keep the state no longer, nor for handles that were made. Twice is fine.

        Where a hold is only collected, handles that were made still arrive.
        """
        while self._made:
            self._made.pop()()
        self._release()
        let_go()

    @property
    def nonce(self) -> bytes:
        """
        What tells states of one object apart.
        """
        held = self._handle
        return held.nonce if isinstance(held, Handle) else encoded(held)

    def handle(self) -> Handle | Inline:
        """
        Make a handle that one process may take.
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
            # The server was stopped, and whoever takes it hears of that; or it goes as
            # it is.
            return self._handle
        lent = version.lend()
        self._made.append(lent.give_up)
        if not self._release.alive:
            # Its task has ended meanwhile, and nobody will take the handle.
            lent.give_up()
        return lent.handle

    def __reduce__(self) -> Any:
        return reduced(self.handle())


class Encoded:
    """
    Pickled, it is a new handle to a state that is held, as bytes.
    """

    __slots__ = ("hold",)

    def __init__(self, hold: Hold) -> None:
        self.hold = hold

    def __reduce__(self) -> Any:
        return bytes, (encoded(self.hold.handle()),)


def let_go() -> None:
    """
    Give up the states that nobody holds any more.
    """
    while _dropped:
        _dropped.popleft()()
