"""
The live plane in numbers: ``python -m tests.benchmarks.live [--quick] [--json]``.

One table: what is promised, what is measured, and the same of a
``multiprocessing.Manager`` in the same run. A row that does not hold is no failure of
the run: it says so in the table.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack

from . import servers
from .machine import describe_machine
from .measures import IDLE_WORKERS, measure_all
from .peers import start_manager
from .size import FULL, QUICK
from .station import Station
from .table import as_json, as_text

__all__ = ["main"]


def main() -> None:
    """
    Measure, and print the table.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.live",
        description="Measure live proxies beside a multiprocessing.Manager.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="seconds, with numbers that mean little"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    machine = describe_machine()
    with ExitStack() as stack:
        peer = start_manager(size.numbers)
        stack.callback(peer.manager.shutdown)
        server = stack.enter_context(Station("server"))
        ours = server.run(servers.serve, size.numbers)
        clients = [
            stack.enter_context(Station(f"client-{i}")) for i in range(IDLE_WORKERS)
        ]
        rows = measure_all(clients, ours, peer, size)
    sys.stdout.write((as_json if options.json else as_text)(rows, machine))


if __name__ == "__main__":
    main()
