"""
A handle becomes the object, or an error that says why not and what to do.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import random
import resource
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import psutil
import pytest

from duck_jupyter.data import attach as attaching
from duck_jupyter.data.attach import attach, encoded, rebuild, reduced
from duck_jupyter.data.handles import Handle, Inline, this_machine
from duck_jupyter.data.store import Store
from duck_jupyter.errors import (
    DataDecodeError,
    DataTooBigError,
    HandshakeError,
    KernelGone,
    ProxyError,
    VersionGone,
)
from tests.support.processes import run_python, start_python, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.data.publication import Publication
    from tests.support.workers import Worker

#: A kernel that publishes an array, and says how to find it.
KERNEL = """
import os, sys
import numpy as np
from duck_jupyter.data.attach import encoded
from duck_jupyter.data.store import Store
publication = Store().publication("df")
value = np.arange(5000)
for _ in range(3):
    print(encoded(publication.handle(value)).hex(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def store() -> Iterator[Store]:
    made = Store()
    yield made
    made.close()


def handle_of(store: Store, value: Any) -> Handle:
    handle = store.publication("df").handle(value)
    assert isinstance(handle, Handle)
    return handle


def changed(handle: Handle, **fields: Any) -> Handle:
    return msgspec.structs.replace(handle, **fields)


def test_what_arrives_is_writable_and_private(store: Store, worker: Worker) -> None:
    value = np.arange(5000)
    data = encoded(handle_of(store, value))
    assert worker.run(write_and_sum, data) == value.sum() + 100
    assert value[0] == 0
    assert rebuild(encoded(handle_of(store, value)))[0] == 0


def write_and_sum(data: bytes) -> int:
    array = rebuild(data)
    array[0] += 100
    return int(array.sum())


@pytest.mark.parametrize("length", [10, 5000])
def test_what_is_only_read_refuses_to_be_written_to(store: Store, length: int) -> None:
    publication = store.publication("df")
    array = rebuild(encoded(publication.handle(np.zeros(length))), writable=False)
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    array = rebuild(encoded(publication.handle(np.zeros(length))))
    array[0] = 1


def test_a_handle_that_is_read_only_wins_over_the_wish_to_write(store: Store) -> None:
    handle = changed(handle_of(store, np.zeros(5000)), readonly=True)
    with pytest.raises(ValueError, match="read-only"):
        attach(handle)[0] = 1


def test_a_small_object_travels_in_its_handle(store: Store) -> None:
    handle = store.publication("df").handle({"a": np.arange(3)})
    assert isinstance(handle, Inline)
    assert rebuild(encoded(handle))["a"].tolist() == [0, 1, 2]
    assert store.versions().kept == 0


def test_pickle_loads_the_object_itself(store: Store) -> None:
    class Stand:
        def __reduce__(self) -> Any:
            return reduced(handle_of(store, np.arange(5000)))

    assert pickle.loads(pickle.dumps(Stand())).sum() == np.arange(5000).sum()


def test_a_handle_from_another_machine_says_so(store: Store) -> None:
    handle = changed(handle_of(store, np.zeros(5000)), machine="elsewhere")
    assert handle.machine != this_machine()
    with pytest.raises(HandshakeError, match=r"'df' was published on another machine"):
        attach(handle)
    with pytest.raises(HandshakeError, match="%share df --no-handover"):
        attach(handle)


def test_a_handle_of_another_user_says_so(store: Store) -> None:
    handle = changed(handle_of(store, np.zeros(5000)), user=os.geteuid() + 1)
    with pytest.raises(HandshakeError, match="'df' belongs to user"):
        attach(handle)


def test_what_the_system_forbids_to_open_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Root, as whom tests may run, is forbidden nothing; so the answer is made up.
    """
    handle = handle_of(store, np.zeros(5000))

    def refuse(key: Any) -> None:
        raise PermissionError(13, "Permission denied", key.path)

    monkeypatch.setattr(attaching, "open_shared", refuse)
    with pytest.raises(HandshakeError, match=r"cannot be opened.*or use its proxy"):
        attach(handle)
    # The same is said of a process that is ending.
    ended = handle.file._replace(pid=2**22 + 1)
    with pytest.raises(KernelGone, match="has ended"):
        attach(changed(handle, file=ended))


def test_a_process_that_cannot_find_the_kernel_does_not_say_that_it_ended(
    store: Store,
) -> None:
    """
    In a container the number of the kernel means another process, or none.
    """
    handle = handle_of(store, np.zeros(5000))
    for number in (os.getpid(), 2**22 + 1):
        elsewhere = handle.file._replace(pid=number, fd=2**20, namespace=1)
        with pytest.raises(HandshakeError, match=r"container.*or use its proxy"):
            attach(changed(handle, file=elsewhere))
    # Where the file is found all the same, the number is right.
    outside = changed(handle, file=handle.file._replace(namespace=1))
    assert len(attach(outside)) == 5000
    with pytest.raises(VersionGone, match="was removed"):
        attach(changed(outside, nonce=os.urandom(16)))


def test_a_version_that_is_not_kept_says_so(store: Store) -> None:
    handle = handle_of(store, np.zeros(5000))
    store.close()
    with pytest.raises(VersionGone, match=r"of 'df' was removed.*one worker"):
        attach(handle)


def test_another_version_under_the_same_number_is_not_taken(store: Store) -> None:
    handle = handle_of(store, np.zeros(5000))
    with pytest.raises(VersionGone):
        attach(changed(handle, nonce=os.urandom(16)))
    with pytest.raises(VersionGone):
        attach(changed(handle, nonce=b""))


@pytest.mark.slow
def test_views_go_on_when_the_kernel_is_killed() -> None:
    with start_python(KERNEL) as kernel:
        assert kernel.stdout is not None
        lines = [bytes.fromhex(kernel.stdout.readline()) for _ in range(3)]
        array = rebuild(lines[0])
        table = rebuild(lines[1], writable=False)
        kernel.send_signal(signal.SIGKILL)
        # Before anybody has taken note of its end, and after.
        ended = wait_until(
            lambda: psutil.Process(kernel.pid).status() == psutil.STATUS_ZOMBIE
        )
        assert ended
        with pytest.raises(KernelGone, match=r"'df'.*has ended, and its data"):
            rebuild(lines[2])
        kernel.wait()
        with pytest.raises(KernelGone, match=f"process {kernel.pid}"):
            rebuild(lines[2])
    array[0] = 5
    assert array.sum() == np.arange(5000).sum() + 5
    assert table.sum() == np.arange(5000).sum()


def mangled(data: bytes, chance: random.Random) -> bytes:
    """
    Change, cut or repeat some of the bytes.
    """
    found = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(found))
        way = chance.randrange(4)
        if way == 0:
            found[at] = chance.randrange(256)
        elif way == 1:
            found[at] ^= 1 << chance.randrange(8)
        elif way == 2:
            del found[at : at + chance.randrange(1, 9)]
        else:
            found[at:at] = found[at : at + chance.randrange(1, 9)]
        found = found or bytearray(b"\0")
    return bytes(found)


def test_a_damaged_handle_is_refused_and_breaks_nothing(store: Store) -> None:
    publication = store.publication("df")
    value = np.zeros(5000)
    data = encoded(publication.handle(value))
    for end in range(len(data)):
        with pytest.raises(DataDecodeError, match=r"damaged.*Pass the object again"):
            rebuild(data[:end])
    chance = random.Random(3)
    for _ in range(3000):
        with contextlib.suppress(ProxyError):
            rebuild(mangled(data, chance))
    again = publication.handle(value)
    assert isinstance(again, Handle)
    assert again.nonce in data  # it was not even changed


def test_a_damaged_index_is_refused(store: Store) -> None:
    handle = handle_of(store, np.zeros(5000))
    for at, size in [(0, 5), (2**40, 50), (handle.index_at, 3), (-7, 2), (8192, 0)]:
        with pytest.raises(DataDecodeError):
            attach(changed(handle, index_at=at, index_size=size))


def test_a_damaged_inline_object_is_refused() -> None:
    for handle in [
        Inline(b"", []),
        Inline(b"\x80\x05", []),
        Inline(pickle.dumps(pickle.PickleBuffer(b"a"), 5)[:-1], []),
    ]:
        with pytest.raises(DataDecodeError):
            rebuild(encoded(handle))


@pytest.mark.slow
def test_a_limit_that_is_too_low_says_so() -> None:
    code = f"""
import resource
import numpy as np
from duck_jupyter.data.store import Store
from duck_jupyter.data.attach import attach
store = Store()
handle = store.publication("df").handle(np.zeros(30_000_000))
used = int(open("/proc/self/statm").read().split()[0]) * {resource.getpagesize()}
resource.setrlimit(resource.RLIMIT_AS, (used + (50 << 20),) * 2)
try:
    attach(handle)
except Exception as error:
    print(type(error).__name__, error)
"""
    told = run_python(code)
    assert told.stdout.startswith(f"{DataTooBigError.__name__} The data of 'df'"), told
    assert "ulimit -v" in told.stdout


def resources() -> tuple[int, int, int]:
    """
    Count mappings, descriptors and bytes of memory that are this process's own.
    """
    gc.collect()
    maps = len(Path("/proc/self/maps").read_text().splitlines())
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    return maps, descriptors, psutil.Process().memory_full_info().uss


def attach_and_drop(publication: Publication, times: int) -> None:
    value = {"a": np.zeros(50_000), "b": np.zeros(9000)}
    for number in range(times):
        value["a"][number % 50_000] += number % 3 == 0
        got = rebuild(encoded(publication.handle(value)))
        got["b"][:] = 5
        view = got["b"][100:]
        del got
        assert view[0] == 5


@pytest.mark.slow
def test_a_thousand_times_attached_and_dropped_leaves_nothing(store: Store) -> None:
    publication = store.publication("df")
    attach_and_drop(publication, 100)
    before = resources()
    attach_and_drop(publication, 1000)
    after = resources()
    assert after[0] - before[0] < 20
    assert after[1] == before[1]
    assert after[2] - before[2] < 5 << 20


def test_a_view_outlives_the_publication_and_the_store() -> None:
    store = Store()
    publication = store.publication("df")
    value = np.arange(5000)
    view = rebuild(encoded(publication.handle(value)))[4000:]
    late = encoded(publication.handle(value))
    store.retire(publication)
    assert rebuild(late)[7] == 7
    del publication
    store.close()
    del store
    gc.collect()
    assert view.tolist() == list(range(4000, 5000))
    view[:] = 1
    assert view.sum() == 1000
