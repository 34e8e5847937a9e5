"""
The shape of a snapshot, which a program in another language reads as well.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from duck_jupyter.session.snapshot import (
    SCHEMA,
    Snapshot,
    as_plain,
    merge,
    tick_between,
)
from duck_jupyter.stats.counts import LATENCY_BUCKETS
from tests.support.snapshots import GOLDEN_FILE, golden, golden_text
from tests.support.typescript import TYPESCRIPT_FILE, typescript

change = msgspec.structs.replace


def test_the_file_is_what_a_snapshot_is_today() -> None:
    """
    To change the shape: ``python -m tests.support.snapshots``.
    """
    assert GOLDEN_FILE.read_bytes() == golden_text().encode()


def test_the_typescript_is_made_from_the_rows() -> None:
    """
    To write it: ``python -m tests.support.typescript``.
    """
    assert TYPESCRIPT_FILE.read_text(encoding="utf-8") == typescript()


def test_a_snapshot_comes_back_from_json_as_it_was() -> None:
    assert msgspec.json.decode(GOLDEN_FILE.read_bytes(), type=Snapshot) == golden()


def test_a_snapshot_is_plain_values_all_the_way_down() -> None:
    def check(value: Any) -> None:
        if isinstance(value, dict):
            assert all(type(key) is str for key in value)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for part in value:
                check(part)
        else:
            assert value is None or type(value) in (bool, int, float, str)

    plain = as_plain(golden())
    check(plain)
    assert msgspec.convert(plain, Snapshot) == golden()


def test_the_file_has_something_in_every_field() -> None:
    """
    So that a reader in another language has seen each of them, and null as well.
    """
    whole = golden()
    assert whole.schema == SCHEMA
    assert len(whole.totals.latency) == LATENCY_BUCKETS
    assert all(
        getattr(whole, field) not in (None, [], "", 0)
        for field in whole.__struct_fields__
    )
    modes = {row.mode for row in whole.objects}
    assert modes == {"live", "frozen", "inplace", "read-only"}
    assert {row.parent is None for row in whole.objects} == {True, False}
    assert {end.exit_code for end in whole.ended} == {0, 3, -9, -15, None}
    assert {end.how for end in whole.ended} == {"ended", "failed", "killed", "gone"}
    assert {worker.pss is None for worker in whole.workers} == {True, False}
    assert {bool(error.ways_out) for error in whole.errors or []} == {True, False}


def test_a_tick_after_which_nothing_happened_has_no_rows() -> None:
    before = golden()
    tick = tick_between(before, change(before, seq=43))
    assert not tick.whole
    assert (tick.seq, tick.object_count) == (43, before.object_count)
    assert (tick.objects, tick.gone, tick.errors, tick.chains) == ([], [], None, None)
    assert (tick.workers, tick.ended) == (before.workers, before.ended)
    assert (tick.totals, tick.memory) == (before.totals, before.memory)


def test_a_tick_has_the_rows_that_changed_and_those_that_are_new() -> None:
    before = golden()
    first, second, *others = before.objects
    called, new = change(first, gets=first.gets + 1), change(second, idx=99)
    tick = tick_between(
        before, change(before, objects=[called, second, *others, new], object_count=6)
    )
    assert tick.objects == [called, new]
    assert tick.gone == []
    assert tick.object_count == 6


def test_a_tick_names_what_went() -> None:
    before = golden()
    tick = tick_between(before, change(before, objects=before.objects[2:]))
    assert tick.objects == []
    assert tick.gone == [row.idx for row in before.objects[:2]]


@pytest.mark.parametrize("field", ["errors", "chains"])
def test_a_tick_has_all_of_a_list_of_which_something_changed(field: str) -> None:
    before = golden()
    fewer = getattr(before, field)[1:]
    tick = tick_between(before, change(before, **{field: fewer}))
    assert getattr(tick, field) == fewer
    assert (tick.errors is None) != (tick.chains is None)


def test_nothing_in_the_snapshot_before_is_changed_by_a_tick() -> None:
    before = golden()
    tick_between(before, change(before, objects=[]))
    assert before == golden()


def test_a_tick_and_what_was_before_it_make_the_whole_again() -> None:
    before = change(golden(), gone=[])
    first, second, *others = before.objects
    called, new = change(first, gets=first.gets + 1), change(second, idx=99)
    fewer = (before.errors or [])[1:]
    now = change(before, seq=43, objects=[called, *others, new], errors=fewer)
    assert merge(before, tick_between(before, now)) == now
    assert merge(now, tick_between(now, now)) == now
