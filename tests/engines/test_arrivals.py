"""
Versions that a process cannot map in the kernel's memory.
"""

from __future__ import annotations

import errno
import resource
import threading
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from duck_jupyter._version import __version__
from duck_jupyter.data.attach import attach_for_task, decoded, encoded
from duck_jupyter.data.publication import Publication
from duck_jupyter.engines.arrivals import Part, bring, copies, drop, warm
from duck_jupyter.engines.kernel import EngineKernel
from duck_jupyter.engines.loading import Spec, load
from duck_jupyter.engines.replacing import Target
from duck_jupyter.errors import DataTooBigError, HandshakeError, VersionGone
from tests.support.fake_engine import FakeEngine, reference_to

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.data.handles import Handle
    from duck_jupyter.proxy import ProxyServer

ROWS = 10_000


class Published:
    """
    A frame that an engine without workers has a reference to.
    """

    def __init__(self, server: ProxyServer) -> None:
        self.frame = pd.DataFrame({"x": np.ones(ROWS)})
        self.proxy = server.create_proxy(self.frame, name="frame")
        target = Target("frame", self.frame, self.proxy._duck_idx)
        self.engine = FakeEngine(0)
        names = {id(self.frame): target}
        self.kernel = EngineKernel(server, self.engine, lambda: names)
        self.engine.attach(self.kernel)
        self.data: bytes = reference_to(self.kernel, self.frame).data
        self.spec = msgspec.msgpack.decode(self.data, type=Spec)
        self.parts: list[str] = []

    @property
    def elsewhere(self) -> Handle:
        """
        The handle as a process of another host sees it.
        """
        return msgspec.structs.replace(decoded(self.spec.handle), machine="another")

    def bring(self, sender: str = "w") -> Any:
        def ask(request: bytes) -> bytes:
            answer = self.kernel.answer(sender, request)
            if request[1:6] == b"\xa4part":
                self.parts.append(sender)
            return answer

        return bring(self.spec.token, self.elsewhere, ask, attach_for_task)[0]


@pytest.fixture
def published(server: ProxyServer) -> Iterator[Published]:
    found = Published(server)
    yield found
    drop([found.spec.token])
    found.kernel.lost()


def test_requests_are_told_apart_by_their_first_word() -> None:
    assert msgspec.msgpack.encode(Part("token", 0, 1))[1:6] == b"\xa4part"


def test_a_version_is_brought_once_to_a_host(published: Published) -> None:
    first = published.bring("w0")
    second = published.bring("w1")
    pd.testing.assert_frame_equal(first, published.frame)
    pd.testing.assert_frame_equal(second, published.frame)
    assert published.parts == ["w0"]


def test_threads_that_want_a_version_at_once_bring_it_once(
    published: Published,
) -> None:
    found: list[float] = []

    def work(sender: str) -> None:
        found.append(float(published.bring(sender)["x"].sum()))

    threads = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [ROWS] * 4
    assert len(published.parts) == 1


def test_a_version_is_brought_again_after_its_worker_has_left(
    published: Published,
) -> None:
    published.bring("w0")
    copies.drop(published.spec.token)
    published.kernel.left("w0")
    assert published.bring("w1")["x"].sum() == ROWS
    assert published.parts == ["w0", "w1"]


def test_a_version_is_brought_again_if_the_copy_cannot_be_mapped(
    published: Published,
) -> None:
    """
    The kernel has not heard yet that the worker has ended.
    """
    published.bring("w0")
    copies.drop(published.spec.token)
    assert published.bring("w1")["x"].sum() == ROWS
    assert published.bring("w2")["x"].sum() == ROWS
    assert published.parts == ["w0", "w1"]


def test_a_version_that_is_gone_is_an_error_that_says_so(published: Published) -> None:
    published.kernel.forgotten(published.spec.token)
    with pytest.raises(VersionGone, match=r"'frame'.*submit the task again"):
        published.bring()


def test_a_version_outlives_its_name_and_its_server(
    published: Published, server: ProxyServer
) -> None:
    server.close()
    assert published.bring()["x"].sum() == ROWS
    (value, _) = attach_for_task(decoded(published.spec.handle))
    assert value["x"].sum() == ROWS


def test_a_version_is_released_when_it_is_forgotten(published: Published) -> None:
    assert not published.kernel.is_idle
    published.kernel.forgotten(published.spec.token)
    assert published.kernel.is_idle
    again = reference_to(published.kernel, published.frame)
    assert again.token != published.spec.token


def test_a_version_that_no_task_has_got_is_not_waited_for(
    published: Published, server: ProxyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(published.kernel, "_keep", interrupt)
    published.frame["x"] = 2.0
    with pytest.raises(KeyboardInterrupt):
        reference_to(published.kernel, published.frame)
    entry = server.table.get(published.proxy._duck_idx)
    publication = server.publisher._publication(entry)
    assert isinstance(publication, Publication)
    assert publication._current is not None
    assert not publication._current.on_its_way


def test_too_many_open_files_are_an_error_that_says_what_to_do(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any) -> Any:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(published.kernel, "_keep", refuse)
    published.frame["x"] = 2.0
    with pytest.raises(DataTooBigError, match=r"keeps 1 states.*setrlimit") as caught:
        reference_to(published.kernel, published.frame)
    *_, advice = str(caught.value).partition("more files: ")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        exec(advice)
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (limits[1], limits[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_what_is_dropped_is_told_before_the_kernel_is_idle(
    published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle_when_told: list[bool] = []

    def note(message: Any) -> None:
        idle_when_told.append(published.kernel.is_idle)

    monkeypatch.setattr(published.engine, "tell", note)
    published.kernel.forgotten(published.spec.token)
    assert idle_when_told == [False]
    assert published.kernel.is_idle


def test_the_kernel_and_the_worker_must_have_one_version_of_the_package(
    published: Published,
) -> None:
    other = msgspec.structs.replace(published.spec, package="0.0.0")
    with pytest.raises(HandshakeError, match=rf"{__version__}.*0\.0\.0"):
        load(msgspec.msgpack.encode(other), lambda request: request)


def test_one_state_of_an_object_stays_mapped(published: Published) -> None:
    def refuse(request: bytes) -> bytes:
        raise AssertionError(request)

    first = load(published.data, refuse)
    published.frame["x"] = 2.0
    data = reference_to(published.kernel, published.frame).data
    token = msgspec.msgpack.decode(data, type=Spec).token
    assert load(data, refuse)["x"].sum() == 2 * ROWS
    assert published.spec.token not in warm._things
    assert token in warm._things
    # A task that still uses the first state keeps its memory.
    assert first["x"].sum() == ROWS
    drop([token])


def test_what_is_mapped_here_asks_the_kernel_nothing(published: Published) -> None:
    def refuse(request: bytes) -> bytes:
        raise AssertionError(request)

    assert load(published.data, refuse)["x"].sum() == ROWS
    # The mapping was kept for the next task.
    drop([published.spec.token])


def test_an_array_is_read_only_and_other_objects_are_writable(
    server: ProxyServer,
) -> None:
    array, both = np.ones(ROWS), {"a": np.ones(ROWS)}
    for target in (array, both):
        handle = server.publisher.handle(
            server.table.get(server.create_proxy(target, name="x")._duck_idx), target
        )
        value, _ = attach_for_task(decoded(encoded(handle)))
        if target is array:
            with pytest.raises(ValueError, match="read-only"):
                value[0] = 2.0
        else:
            value["a"][0] = 2.0
            assert both["a"][0] == 1.0
