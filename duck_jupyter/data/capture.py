"""
Capture: what is passed to a pool, with its shared objects as they are at that moment.

Shared objects are replaced by holds of their state, also in plain lists, tuples and
dicts some levels deep. All else stays what it is and is pickled when its turn comes: to
pickle it at once would keep everything that waits twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from .pickler_hooks import Gives
    from .views import Views

__all__ = ["Capture"]

#: Levels of containers that are looked into: a chunk of a map has two of its own.
DEEP = 5
#: Items of a container that is looked into.
MOST_ITEMS = 10_000
#: They are not shared as such, and nothing is in them.
ATOMS = frozenset({type(None), bool, int, float, complex, str, bytes})
CONTAINERS = frozenset({list, tuple, dict})


class Reduced:
    """
    Stands for an object whose reduced form was made before.
    """

    __slots__ = ("_reduced",)

    def __init__(self, reduced: Any) -> None:
        self._reduced = reduced

    def __reduce__(self) -> Any:
        return self._reduced


class Capture:
    """
    What is captured in one call. The same object is held once.

    Args:
        gives: The shared objects, by identity.
        holds: What holds them.
        views: Finds parts of them, or None.
    """

    def __init__(
        self, gives: Gives, holds: dict[int, Callable[[], Any]], views: Views | None
    ) -> None:
        self._gives = gives
        self._holds = holds
        self._views = views
        self._known: dict[int, Any] = {}
        #: Holds, to be released when nobody pickles them any more.
        self.held: list[Any] = []

    def __call__(self, value: Any, deep: int = DEEP) -> Any:
        """
        Give a value, or a copy of it in which shared objects are held.

        Raises:
            VersionsAwaited: Too many states wait for workers.
            ProxyError: A shared object cannot be published.
        """
        kind = type(value)
        if kind in ATOMS:
            return value
        if kind not in CONTAINERS:
            return self._capture_one(value)
        if not deep or not value or len(value) > MOST_ITEMS:
            return value
        items = list(value.values()) if kind is dict else value
        captured = [self(item, deep - 1) for item in items]
        if all(a is b for a, b in zip(items, captured, strict=True)):
            return value
        if kind is dict:
            return dict(zip(value, captured, strict=True))
        return kind(captured)

    def _capture_one(self, value: Any) -> Any:
        found = self._gives.get(id(value))
        if found is None:
            return self._capture_part(value)
        known = self._known.get(id(value))
        if known is None:
            hold = self._holds.get(id(value))
            held = None if hold is None else hold()
            known = self._known[id(value)] = value if held is None else held
            if held is not None:
                self.held.append(held)
        return known

    def _capture_part(self, value: Any) -> Any:
        if self._views is None:
            return value
        reduced = self._views.reduce(value)
        return value if reduced is NotImplemented else Reduced(reduced)
