"""
What the terminal says of the workers of a cluster.
"""

from __future__ import annotations

from msgspec.structs import replace as change

from duck_jupyter.cli.screen import MOST_ROWS, report_of
from tests.support.snapshots import golden

from .screens import frame, line_of, shown, window_of


def test_a_worker_of_another_host_is_told_with_its_way() -> None:
    text = shown(golden())
    row = line_of(text, "71")
    assert row.split()[:2] == ["71", "10.0.0.2:gpu-1"]
    assert row.endswith("1.68 GB  relay · 2 tasks, 5 waiting")
    assert line_of(text, "70").endswith("connection lost")
    detail = frame(golden(), "w", "down", "down", "enter")
    assert "Its calls go by the scheduler of the cluster" in detail
    assert "Its cluster says: 2 tasks, 5 waiting; 1.68 GB of 2 GB resident" in detail


def test_memory_near_its_limit_is_coloured() -> None:
    lines = report_of(golden(), window_of(golden()), 200)
    (line,) = [line for line in lines if "gpu-1" in line.plain]
    at = line.plain.index("1.68 GB")
    (span,) = [each for each in line.spans if each.start == at]
    assert span.style == "yellow"


def test_the_page_of_a_cluster_is_linked() -> None:
    line = "Dask dashboard: http://10.0.0.1:8787/status"
    assert line in shown(golden()).splitlines()
    assert line in frame(golden())
    gone = change(golden(), clusters=[])
    assert "dashboard" not in shown(gone)


def test_a_report_has_the_first_of_many_workers_and_the_last_to_end() -> None:
    row = golden().workers[2]
    many = [change(row, pid=row.pid + n, name=f"10.0.0.2:n-{n}") for n in range(200)]
    lines = shown(change(golden(), workers=many)).splitlines()
    assert sum("10.0.0.2:n-" in line for line in lines) == MOST_ROWS
    assert "and 171 more rows" in lines
    assert any("connection lost" in line for line in lines)
