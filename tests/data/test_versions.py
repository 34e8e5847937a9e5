"""
A version: laid out with no page left out, kept while it is awaited or mapped.
"""

from __future__ import annotations

import contextlib
import os
import random
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest

from duck_jupyter.data import versions
from duck_jupyter.data.attach import attach, encoded, rebuild
from duck_jupyter.data.layout import (
    ALIGNMENT,
    BUFFERS_AT,
    NO_TICKET,
    TICKETS,
    Index,
    Layout,
)
from duck_jupyter.data.pickling import Dumped, dump
from duck_jupyter.data.versions import Version
from duck_jupyter.errors import VersionGone
from tests.interruption.steps import PACKAGE, At, Cut, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from duck_jupyter.data.handles import Handle

    Make = Callable[[Any], Version]

PAGE = 4096


@pytest.fixture
def make() -> Iterator[Make]:
    """
    Make versions that are closed with the test.
    """
    made: list[Version] = []

    def make_one(value: Any) -> Version:
        dumped = dump(value, "value")
        made.append(Version(dumped, Layout(dumped), "value"))
        return made[-1]

    yield make_one
    for version in made:
        version.close()


def dumped_of(head: int, *sizes: int) -> Dumped:
    chance = random.Random(str(sizes))
    return Dumped(chance.randbytes(head), [view_of(chance, size) for size in sizes])


def view_of(chance: random.Random, size: int) -> memoryview:
    return memoryview(chance.randbytes(size))


SHAPES = {
    "head only": dumped_of(10),
    "head of megabytes": dumped_of(3 << 20, 5),
    "empty buffers": dumped_of(100, 0, 7, 0, 0, 4096, 0),
    "odd sizes": dumped_of(11, 1, 63, 64, 65, 4095, 4097, 1),
    "one byte a page": dumped_of(1, *[PAGE - 1, 1] * 20),
    "thousands": dumped_of(1000, *range(4000)),
    "large": dumped_of(50, 9 << 20, 17),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_version_holds_all_parts_and_every_page_has_its_memory(shape: str) -> None:
    dumped = SHAPES[shape]
    layout = Layout(dumped)
    version = Version(dumped, layout, "value")
    fd, size = version._file.key.fd, version.size
    handle = version.handle()
    index = msgspec.msgpack.decode(
        os.pread(fd, handle.index_size, handle.index_at), type=Index
    )
    assert os.pread(fd, index.head_size, index.head_at) == dumped.head
    assert len(index.buffers) == len(dumped.buffers)
    end = BUFFERS_AT
    for (at, length), buffer in zip(index.buffers, dumped.buffers, strict=True):
        assert at % ALIGNMENT == 0
        assert at >= end
        end = at + length
        assert os.pread(fd, length, at) == buffer
    assert handle.index_at >= end
    assert handle.index_at + handle.index_size <= index.head_at
    assert index.head_at + index.head_size == size == os.fstat(fd).st_size
    # A page without memory would end the process that touches it, were none left.
    assert os.fstat(fd).st_blocks * 512 >= -(-size // PAGE) * PAGE
    assert os.lseek(fd, 0, os.SEEK_HOLE) == size
    version.close()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_version_holds_what_it_was_made_of_and_nothing_else(shape: str) -> None:
    dumped = SHAPES[shape]
    version = Version(dumped, Layout(dumped), "value")
    assert version.holds(dumped)
    assert not version.holds(dumped._replace(head=dumped.head + b"!"))
    assert not version.holds(
        dumped._replace(buffers=[*dumped.buffers, memoryview(b"")])
    )
    for at in (0, len(dumped.buffers) // 2, len(dumped.buffers) - 1):
        if not dumped.buffers or not len(dumped.buffers[at]):
            continue
        changed = bytearray(dumped.buffers[at])
        changed[-1] ^= 1
        buffers = dumped.buffers.copy()
        buffers[at] = memoryview(changed)
        assert not version.holds(dumped._replace(buffers=buffers))
    version.close()


def test_another_state_fits_where_it_has_room_and_fills_much_of_it(
    make: Make,
) -> None:
    version = make(np.zeros(100_000, np.uint8))
    for length, fits in [
        (100_000, True),
        (100_100, False),
        (99_000, True),
        (50_000, True),
        (40_000, False),
    ]:
        layout = Layout(dump(np.zeros(length, np.uint8), "value"))
        assert version.fits(layout) == fits, length


def test_another_state_takes_the_place_of_one_that_nobody_uses(make: Make) -> None:
    version = make({"a": np.arange(9000), "b": 1})
    old = version.handle()
    assert rebuild(encoded(old))["b"] == 1
    other = {"c": np.arange(100.0), "d": "x" * 5000, "e": np.ones(7000)}
    dumped = dump(other, "value")
    layout = Layout(dumped)
    assert version.fits(layout)
    assert version.replace(dumped, layout)
    assert version.holds(dumped)
    got = attach(version.handle())
    assert list(got) == ["c", "d", "e"]
    np.testing.assert_array_equal(got["c"], other["c"])
    np.testing.assert_array_equal(got["e"], other["e"])
    assert got["d"] == other["d"]
    with pytest.raises(VersionGone, match="was removed"):
        attach(old)


def replaced(version: Version, value: Any) -> bool:
    dumped = dump(value, "value")
    return version.replace(dumped, Layout(dumped))


def test_a_version_that_somebody_maps_is_not_replaced(make: Make) -> None:
    version = make(np.zeros(5000))
    first = attach(version.handle())
    part = first[10:20]
    del first
    assert version.is_mapped
    assert not replaced(version, np.ones(5000))
    assert not part.any()
    attach(version.handle())  # it can still be had
    del part
    assert not version.is_mapped
    assert replaced(version, np.ones(5000))


def test_a_version_that_a_handle_stands_for_is_not_replaced(make: Make) -> None:
    version = make(np.zeros(5000))
    handles = [version.handle() for _ in range(3)]
    for handle in handles:
        assert not replaced(version, np.ones(5000))
        assert not attach(handle).any()
    assert replaced(version, np.ones(5000))
    assert not version.on_its_way


def test_a_handle_that_was_given_up_is_awaited_no_longer(make: Make) -> None:
    version = make(np.zeros(5000))
    lent, other = version.lend(), version.lend()
    lent.give_up()
    assert not replaced(version, np.ones(5000))  # the other one is on its way
    attach(other.handle)
    assert replaced(version, np.ones(5000))
    with pytest.raises(VersionGone):
        attach(lent.handle)


@pytest.mark.slow
def test_giving_up_a_handle_that_has_arrived_touches_no_other_handle(
    make: Make,
) -> None:
    version = make(np.zeros(5000))
    lent = version.lend()
    mapped = attach(lent.handle)
    others = [version.handle() for _ in range(TICKETS)]
    assert others[-1].ticket == lent.handle.ticket
    for handle in others[:-1]:
        attach(handle)
    lent.give_up()
    del mapped
    assert version.on_its_way
    version.close()
    lent.give_up()


def test_tickets_are_used_again_and_each_is_one_handles(make: Make) -> None:
    version = make(np.zeros(5000))
    tickets = set()
    for _ in range(TICKETS + 10):
        handle = version.handle()
        tickets.add(handle.ticket)
        attach(handle)
    assert tickets == set(range(TICKETS))
    assert not version.in_use


def test_a_signal_handler_that_hands_over_takes_another_ticket(make: Make) -> None:
    version = make(np.zeros(5000))
    survey = Survey(PACKAGE)
    version.lend().give_up()
    attach(survey.run(version.handle))
    steps = [step for step in survey.steps() if step.signals]
    reached = 0
    for step in steps:
        inner: list[Handle] = []
        at = At(PACKAGE, step, lambda: inner.append(version.handle()))  # noqa: B023
        version.lend().give_up()
        outer = at.run(version.handle)
        if at.reached:
            reached += 1
            assert inner[0].ticket != outer.ticket
            attach(inner[0])
            assert not replaced(version, np.ones(5000))
        attach(outer)
    assert reached > len(steps) // 2
    assert replaced(version, np.ones(5000))


def test_an_interrupt_at_any_step_leaves_a_state_that_is_in_use(make: Make) -> None:
    version = make(np.zeros(5000))
    handle = version.handle()
    held = attach(handle)
    survey = Survey(PACKAGE)
    assert not survey.run(lambda: replaced(version, np.ones(5000)))

    def interrupt() -> None:
        raise Cut

    for step in survey.steps():
        with contextlib.suppress(Cut):
            At(PACKAGE, step, interrupt).run(lambda: replaced(version, np.ones(5000)))
        assert not version.is_damaged
        assert not attach(handle).any()
    assert not held.any()


def test_with_all_tickets_out_a_version_is_kept_for_ever(make: Make) -> None:
    version = make(np.zeros(5000))
    handles = [version.handle() for _ in range(TICKETS)]
    assert {handle.ticket for handle in handles} == set(range(TICKETS))
    extra = version.handle()
    assert extra.ticket == NO_TICKET
    for handle in handles:
        attach(handle)
    assert version.on_its_way
    assert not replaced(version, np.ones(5000))
    assert not attach(extra).any()
    assert version.on_its_way


def test_a_handle_may_be_loaded_twice_while_its_version_is_there(make: Make) -> None:
    version = make(np.arange(5000))
    handle = version.handle()
    first, second = attach(handle), attach(handle)
    first[0] = 9
    assert second[0] == 0


def test_a_handle_with_a_ticket_of_nonsense_changes_nothing(make: Make) -> None:
    version = make(np.zeros(5000))
    for ticket in (TICKETS, TICKETS + 5000, 2**40, -5, NO_TICKET):
        handle = msgspec.structs.replace(version.handle(), ticket=ticket)
        assert not attach(handle).any()
    assert version.holds(dump(np.zeros(5000), "value"))


def test_whoever_comes_while_a_state_is_replaced_is_told(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = make(np.zeros(5000))
    handle = version.handle()
    attach(handle)

    def update(spans: Any) -> None:
        with pytest.raises(VersionGone):
            attach(handle)
        assert not version.is_mapped

    monkeypatch.setattr(versions, "update", update)
    assert replaced(version, np.ones(5000))


def test_a_version_that_was_not_replaced_can_be_had_as_before(make: Make) -> None:
    version = make(np.zeros(5000))
    handle = version.handle()
    value = attach(handle)
    assert not replaced(version, np.ones(5000))
    again = attach(handle)
    assert not again.any()
    assert not value.any()


def test_a_version_is_seen_by_a_handle_that_is_small(make: Make) -> None:
    version = make({f"column {n}": np.zeros(1000) for n in range(200)})
    assert len(encoded(version.handle())) < 300
    assert repr(version).startswith("<Version of value, 1,6")


def test_the_object_here_lies_in_the_version_itself(make: Make) -> None:
    version = make(np.zeros(5000))
    here = version.load_here()
    here[3] = 5
    handle = msgspec.structs.replace(version.handle(), inplace=True)
    assert attach(handle)[3] == 5
    version.close()
    version.close()
    here[4] = 6
    assert here[3:5].tolist() == [5, 6]
