"""
Moving variables into shared memory (``%share --inplace``) and back out of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..data.inplace import Inplace, in_ordinary_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..proxy import ProxyServer
    from .names import Source, Terms
    from .shared_names import SharedName, Wish

__all__ = ["Moves", "move_out"]


class Moves:
    """
    The objects that must move to other memory, copied there.

    No variable is touched before `finish`.

    Args:
        wishes: The objects to share.
        known: The objects that are already shared, by name.
        terms: The settings to share them with.

    Raises:
        NotShareable: An object cannot be moved; the message gives the reason.
        DataTooBigError: There is no space for it.
    """

    def __init__(
        self, wishes: Sequence[Wish], known: Mapping[str, SharedName], terms: Terms
    ) -> None:
        #: The same wishes, with the objects at their new places.
        self.wishes: list[Wish] = []
        self._inplace: dict[str, Inplace] = {}
        self._before = {wish.name: wish.target for wish in wishes}
        try:
            for wish in wishes:
                old = known.get(wish.name)
                self.wishes.append(wish._replace(target=self._moved(wish, old, terms)))
        except BaseException:
            self.drop()
            raise

    def _moved(self, wish: Wish, old: SharedName | None, terms: Terms) -> Any:
        before = None if old is None else old.inplace
        if not terms.inplace:
            if before is not None and before.object is wish.target:
                return in_ordinary_memory(wish.target)
            return wish.target
        is_same = old is not None and old.terms == terms
        if is_same and before is not None and before.holds(wish.target):
            return wish.target
        inplace = Inplace(wish.target, wish.name, readonly=terms.readonly)
        self._inplace[wish.name] = inplace
        return inplace.object

    def finish(self, wish: Wish, server: ProxyServer, shared: SharedName) -> None:
        """
        Set the moved object of a wish in the server and in its variable.
        """
        inplace = self._inplace.pop(wish.name, None)
        if inplace is not None:
            server.move(shared.proxy, inplace)
            shared.inplace = inplace
        if wish.source is not None:
            _rebind(wish.source, self._before[wish.name], lambda: wish.target)

    def drop(self) -> None:
        """
        Release the memory of all moves that were not finished.
        """
        # The traceback of the exception being raised keeps this object alive for a
        # while.
        self.wishes.clear()
        for inplace in self._inplace.values():
            inplace.close()
        self._inplace = {}


def move_out(shared: SharedName) -> None:
    """
    Move the variable of a name that was shared in place back to ordinary memory.
    """
    inplace = shared.inplace
    if inplace is not None and shared.source is not None:
        moved = inplace.object
        _rebind(shared.source, moved, lambda: in_ordinary_memory(moved))


def _rebind(source: Source, before: Any, make: Callable[[], Any]) -> None:
    """
    Assign another object to a variable, unless it was assigned in between.
    """
    if source.namespace.get(source.variable) is before:
        source.namespace[source.variable] = make()
