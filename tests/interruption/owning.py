"""
The operations of who owns the objects: sharing them, and handing them over.

The worker that is stepped through is the owner, and has a server of its own; another
worker calls what it shares. Most of it runs below a call of the user's, in the thread
that an interrupt of the notebook reaches.
"""

from __future__ import annotations

from collections import Counter
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from duck_jupyter import NotShared, share, shared, unshare

from .bench import Desk, Kit, make_array
from .operation import Operation
from .rival import look_at_arrays, look_at_proxies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.workers import Worker

    from .bench import Bench
    from .endings import Ending


class OwnerOperation(Operation):
    """
    One kind of operation of an owner.
    """

    large = True
    in_owner = True

    def make_kit(self, bench: Bench) -> Kit:
        array = make_array()
        share(array, "array")
        desk = share(Desk(Counter()), "desk")
        return Kit(desk, array=array, thing=Desk(Counter()))

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        yield from rival.run(look_at_proxies, ending.got, ending.tag)


class HandOver(OwnerOperation):
    """
    An array is pickled for a pool.
    """

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        got.append(bytes(ForkingPickler.dumps(kit.array)))
        return tag

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        self.run(kit, tag, given, got)

    def check(
        self, bench: Bench, rival: Worker, given: Any, ending: Ending
    ) -> Iterator[str]:
        yield from rival.run(look_at_arrays, ending.got)


class Share(OwnerOperation):
    """
    A name is shared; who was interrupted shares it again.
    """

    def before(self, kit: Kit, tag: str) -> None:
        unshare_thing()

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        share(kit.thing, "thing")
        return tag

    def finish(self, kit: Kit, tag: str, got: list[Any]) -> None:
        got.append(bytes(ForkingPickler.dumps(shared.thing)))

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        got.append(bytes(ForkingPickler.dumps(share(kit.thing, "thing"))))


class Unshare(OwnerOperation):
    """
    A name is unshared; who was interrupted finds it shared, or not at all.
    """

    def before(self, kit: Kit, tag: str) -> None:
        share(kit.thing, "thing")

    def run(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> Any:
        unshare("thing")
        return tag

    def finish(self, kit: Kit, tag: str, got: list[Any]) -> None:
        if unshare_thing():
            raise AssertionError("the name is still shared")
        self._share_again(kit, got)

    def after(self, kit: Kit, tag: str, given: Any, got: list[Any]) -> None:
        if unshare_thing() and unshare_thing():
            raise AssertionError("the name was shared twice")
        self._share_again(kit, got)

    def _share_again(self, kit: Kit, got: list[Any]) -> None:
        got.append(bytes(ForkingPickler.dumps(share(kit.thing, "thing"))))


def unshare_thing() -> bool:
    """
    Unshare the thing, and tell whether it was shared.
    """
    try:
        unshare("thing")
    except NotShared:
        return False
    return True


OWNER_OPERATIONS: list[type[Operation]] = [HandOver, Share, Unshare]
