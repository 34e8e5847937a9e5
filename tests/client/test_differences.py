"""
The table of differences in the documentation is true.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.processes import ROOT

from .alike import in_worker, on_object

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker


class Row(NamedTuple):
    """
    One difference, as it is written.
    """

    target: str
    expression: str
    of_object: str
    of_proxy: str


def rows() -> list[Row]:
    """
    Read the table.
    """
    text = (ROOT / "docs" / "differences.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- differences -->\n(.*?)<!-- end -->", text, re.DOTALL)
    assert found is not None
    lines = found[1].splitlines()[2:]
    return [Row(*re.findall(r"`([^`]+)`", line)[:4]) for line in lines]


def shown(outcome: tuple[str, object, str]) -> str:
    """
    Give the outcome of an expression as the table shows it.
    """
    how, kind, text = outcome
    return text if how == "gives" else getattr(kind, "__name__", "")


def test_the_table_has_rows() -> None:
    assert len(rows()) > 10


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.expression)
def test_a_difference_is_as_it_is_written(
    server: ProxyServer, worker: Worker, row: Row
) -> None:
    of_object = on_object(row.target, row.expression)
    of_proxy = in_worker(server, worker, row.target, row.expression)

    assert (shown(of_object), shown(of_proxy)) == (row.of_object, row.of_proxy)
