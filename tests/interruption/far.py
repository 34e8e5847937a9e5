"""
The operations of a worker on another host: the same ones, over a stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from duck_jupyter.client.other_hosts import Way
from duck_jupyter.server.stream_door import open_door
from duck_jupyter.session.api import own_session

from . import operations

if TYPE_CHECKING:
    from .bench import Bench, Kit
    from .operation import Operation

__all__ = ["FAR_OPERATIONS", "open_ways"]

#: What a worker of another host cannot do, or does in another way.
NEAR_ONLY = {
    operations.WiderBuffer,
    operations.Close,
    operations.Fetch,
    operations.TakeHandedOver,
}


def open_ways(bench: Bench) -> None:
    """
    Let the server of the objects listen for workers of other hosts.
    """
    server = own_session().server
    assert server is not None
    door = open_door(server, "127.0.0.1", None)
    bench.kit.desk._duck_link.ways = (Way(door.host, door.port),)


def _go_far(kit: Kit) -> None:
    """
    Let the proxies of a worker find no socket on this host.
    """
    link = kit.desk._duck_link
    link.address = "/nowhere/far"
    link.come_from("elsewhere", ())


def _far(kind: type[Operation]) -> type[Operation]:
    """
    Return an operation for a worker of another host.
    """

    class Far(kind):  # type: ignore[valid-type, misc]
        def before(self, kit: Kit, tag: str) -> None:
            _go_far(kit)
            super().before(kit, tag)

    Far.__name__ = Far.__qualname__ = f"Far{kind.__name__}"
    globals()[Far.__name__] = Far  # it is pickled by its name
    return Far


FAR_OPERATIONS = [_far(kind) for kind in operations.OPERATIONS if kind not in NEAR_ONLY]
