"""
The live plane in numbers: ``python -m tests.benchmarks.live [--quick] [--json]``.

One table: what is promised, what is measured, and the same of a
``multiprocessing.Manager`` in the same run. A row that does not hold is no failure of
the run: it says so in the table.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from . import servers
from .command import run
from .measures import IDLE_WORKERS, measure_all
from .peers import start_manager
from .size import FULL, QUICK
from .station import Station

if TYPE_CHECKING:
    from .size import Size
    from .table import Row

__all__ = ["main"]


def measure(size: Size) -> list[Row]:
    """
    Measure with a server, its clients and the Manager at hand.
    """
    with ExitStack() as stack:
        peer = start_manager(size.numbers)
        stack.callback(peer.manager.shutdown)
        server = stack.enter_context(Station("server"))
        ours = server.run(servers.serve, size.numbers)
        clients = [
            stack.enter_context(Station(f"client-{i}")) for i in range(IDLE_WORKERS)
        ]
        return measure_all(clients, ours, peer, size)


def main() -> None:
    """
    Measure, and print the table.
    """
    what = "Measure live proxies beside a multiprocessing.Manager."
    run("live", what, (FULL, QUICK), measure)


if __name__ == "__main__":
    main()
