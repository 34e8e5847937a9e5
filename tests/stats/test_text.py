"""
Numbers in words, from the table that the tests of the view read as well.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.stats import text
from duck_jupyter.stats.words import cluster_doing
from duck_jupyter.stats.worker_rows import ClusterWorker
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN: dict[str, list[list[Any]]] = json.loads(
    (ROOT / "tests" / "data" / "formats.json").read_text(encoding="utf-8")
)
WRITERS: dict[str, Callable[[Any], str]] = {
    "bytes": text.in_bytes,
    "plain_bytes": text.plain_bytes,
    "byte_rates": partial(text.in_bytes, figures=2),
    "rates": text.rate,
    "totals": text.total,
    "durations": text.duration,
    "percents": text.percent,
    "times": text.times,
    "ages": text.age,
    "counts": partial(text.many, what="object"),
    "limited_bytes": lambda pair: text.limited_bytes(*pair),
    "cluster_doing": lambda facts: cluster_doing(
        ClusterWorker("host", "worker", None, **facts)
    ),
}


@pytest.mark.parametrize("name", WRITERS)
def test_numbers_are_written_as_in_the_view(name: str) -> None:
    write = WRITERS[name]
    assert [[value, write(value)] for value, _ in GOLDEN[name]] == GOLDEN[name]


def test_the_table_has_nothing_that_is_not_tested() -> None:
    assert set(GOLDEN) == {*WRITERS, "quantiles"}


def test_quantiles_are_those_of_the_view() -> None:
    for counts, share, seconds, words in GOLDEN["quantiles"]:
        found = text.quantile(counts, share)
        assert found == (None if seconds is None else pytest.approx(seconds, rel=1e-12))
        assert text.duration(found) == words


@pytest.mark.parametrize("measured", [1.1e-6, 3.3e-6, 130e-6, 9.4e-3, 1.5])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.99, 1.0])
def test_a_quantile_is_in_the_bucket_of_what_was_measured(
    measured: float, share: float
) -> None:
    counts = [0] * 32
    counts[int(measured * 4e6).bit_length()] = 100
    found = text.quantile(counts, share)
    assert found is not None
    assert measured / 2 <= found <= measured * 2
