"""
What a slow read brings arrives, though it began before the memory was watched.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from duck_jupyter.data.attach import encoded, rebuild
from duck_jupyter.data.store import Store
from tests.support.parked import parked
from tests.support.processes import wait_until
from tests.support.slowreads import BYTE, SlowFile, pipe_file, slow_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from duck_jupyter.data.publication import Publication

    Array = NDArray[np.int64]

COUNT = 1 << 18  # eight bytes each
START = 1 << 20
#: Whole pages, and parts of two more.
BYTES = (1 << 16) - 1000
#: Longer than a hand-over that is at rest takes, many times.
LASTING_S = 0.6


@pytest.fixture(params=["as slow as can be", "pipe"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SlowFile]:
    """
    A file whose reads last, past the page tables where this system allows it.
    """
    opened = pipe_file() if request.param == "pipe" else slow_file(tmp_path)
    with opened as slow:
        yield slow


@pytest.fixture
def publication() -> Iterator[Publication]:
    """
    What hands the array over.
    """
    store = Store()
    yield store.publication("array")
    store.close()


def hand_over(publication: Publication, array: Array) -> Any:
    """
    Give what arrives.
    """
    return rebuild(encoded(publication.handle(array)))


def arrives(publication: Publication, array: Array) -> bool:
    """
    Tell whether the array arrives as it is.
    """
    return bool(np.array_equal(hand_over(publication, array), array))


@pytest.mark.parametrize("before", [0, 3], ids=["first", "after others"])
def test_what_is_read_after_a_hand_over_arrives(
    publication: Publication, file: SlowFile, before: int
) -> None:
    array = np.ones(COUNT, np.int64)
    for _ in range(before):
        assert arrives(publication, array)
    part = array.data.cast("B")[START : START + BYTES]
    with parked(lambda: os.readv(file.fd, [part]), lambda: file.answer(BYTES)):
        # However often and long: until it ends, nothing of it is there.
        assert not wait_until(lambda: not arrives(publication, array), LASTING_S)
        assert array.sum() == COUNT
    assert part.tobytes() == BYTE * BYTES
    for _ in range(3):
        assert arrives(publication, array)
    array[0] = 5
    assert arrives(publication, array)


def test_a_child_that_is_forked_during_a_read_hands_over_what_it_has(
    publication: Publication, file: SlowFile
) -> None:
    array = np.ones(COUNT, np.int64)
    part = array.data.cast("B")[START : START + BYTES]
    source, target = os.pipe()
    with parked(lambda: os.readv(file.fd, [part]), lambda: file.answer(BYTES)):
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.close(target)
                own = Store().publication("array")
                is_right = all(arrives(own, array) for _ in range(5))
                os.read(source, 1)  # which ends with the parent's read
                status = 0 if is_right and arrives(own, array) else 2
            finally:
                os._exit(status)
        os.close(source)
    os.close(target)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert arrives(publication, array)
