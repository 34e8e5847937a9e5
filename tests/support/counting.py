"""
Reading a server's counters, which follow a moment after the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.processes import wait_until

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from duck_jupyter.stats.rows import ServerStatistics


def statistics_after(server: ProxyServer, calls: int) -> ServerStatistics:
    """
    Give the statistics once so many calls are counted.

    Raises:
        AssertionError: There are fewer, or more.
    """
    wait_until(lambda: server.statistics().totals.calls >= calls)
    found = server.statistics()
    assert found.totals.calls == calls, found.totals
    return found
