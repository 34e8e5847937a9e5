"""
A name belongs to the object where it has one, and to the proxy where it has none.
"""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from duck_jupyter import detach
from duck_jupyter.errors import AccessDenied, KernelGone, NotShareable, ProxyClosed
from duck_jupyter.protocol.traits import YIELDING
from duck_jupyter.proxy import Frame, ProxyServer
from tests.support.objects import Plain, Tally
from tests.support.raw import far

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.workers import Worker


class Named:
    """
    An object whose type has every public name of a proxy, and no room for others.
    """

    __slots__ = ()


def _answering(name: str) -> Callable[..., Any]:
    return lambda self, *args: (name, *args)


for _name in YIELDING:
    setattr(Named, _name, _answering(_name))


class Wrapping:
    """
    An object that has the names of another one.
    """

    __slots__ = ("inner",)

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Slotted:
    """
    An object of whose names the type says all.
    """

    __slots__ = ("value",)


@pytest.mark.parametrize("name", YIELDING)
def test_a_name_that_the_type_has_is_the_objects(
    server: ProxyServer, worker: Worker, name: str
) -> None:
    proxy = server.create_proxy(Named())

    assert getattr(proxy, name)(3) == (name, 3)
    assert worker.eval(f"p.{name}(3)", p=proxy) == (name, 3)


def test_closing_a_file_closes_the_file(
    server: ProxyServer, worker: Worker, tmp_path: Path
) -> None:
    path = tmp_path / "words.txt"
    with path.open("w") as file:
        code = "with contextlib.closing(p) as f: f.write('last words')"
        worker.exec(code, p=server.create_proxy(file))

        assert file.closed
        assert path.read_text() == "last words"


def test_closing_in_the_kernel_closes_the_object_too(server: ProxyServer) -> None:
    buffer = io.BytesIO()
    with contextlib.closing(server.create_proxy(buffer)):
        pass

    assert buffer.closed


def test_a_name_of_one_object_alone_is_the_objects(
    server: ProxyServer, worker: Worker
) -> None:
    buffer = io.StringIO()
    frame = pd.DataFrame({"open": [1.0], "close": [2.0]})
    own = {
        "attribute": Plain(close="mine"),
        "wrapper": Wrapping(buffer),
        "column": frame,
    }
    proxies = {name: server.create_proxy(target) for name, target in own.items()}

    assert worker.eval("p.close", p=proxies["attribute"]) == "mine"
    assert worker.eval("p.close.sum()", p=proxies["column"]) == 2.0
    worker.eval("p.close()", p=proxies["wrapper"])
    assert buffer.closed
    column: Any = proxies["column"].close
    assert column.sum() == 2.0


def test_a_name_is_the_objects_once_it_has_it(
    server: ProxyServer, worker: Worker
) -> None:
    target = Plain()
    proxy = server.create_proxy(target)

    assert worker.exec("p.close = 5; result = p.close", p=proxy) == 5
    assert vars(target) == {"close": 5}
    worker.exec("del p.close", p=proxy)
    assert vars(target) == {}
    assert worker.exec("p.close(); result = repr(p)", p=proxy) == "<closed proxy>"


@pytest.mark.parametrize(
    "target",
    [[], {}, Slotted(), Plain(), Tally],
    ids=["list", "dict", "slotted", "plain", "class"],
)
def test_the_proxys_own_names_answer_where_the_object_has_none(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(target)
    code = """
block = p.get_shared_memory()
p.write_frame(block, Frame(0, [1, "value"]))
frame = p.read_frame(block)
block.close()
found = p.get_response(Frame(2, [p._duck_idx, "__dir__", [], {}]))
p.close()
result = frame.payload, len(found) > 0, repr(p)
"""
    assert worker.exec(code, p=proxy) == ([1, "value"], True, "<closed proxy>")


def test_asking_whose_a_name_is_is_no_error(server: ProxyServer) -> None:
    near = server.create_proxy(Plain())
    with far(near) as proxy:
        proxy.close()

    assert not server.statistics().errors


def test_a_name_that_the_settings_forbid_is_the_objects_all_the_same(
    server: ProxyServer, worker: Worker
) -> None:
    buffer = io.StringIO("text")
    proxy = server.create_proxy(buffer, name="f", allow=["read"])

    with pytest.raises(AccessDenied, match="--allow close,read"):
        worker.eval("p.close()", p=proxy)
    assert not buffer.closed


@pytest.mark.parametrize("target", [io.StringIO(), Plain(close=1), [1], Named()])
def test_detach_leaves_any_object(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(target)
    code = "detach(p); detach(p); result = repr(p)"

    assert worker.exec(code, p=proxy) == "<closed proxy>"
    for use in ("p.nothing", "p.x.y = 1", "detach(p); p.read()"):
        with pytest.raises(ProxyClosed, match=r"detach\(proxy\)"):
            worker.exec(f"detach(p); {use}", p=proxy)
    assert not getattr(target, "closed", False)
    assert worker.eval("dir(p)", p=proxy)


def test_closing_a_file_through_a_proxy_that_was_detached_is_refused(
    server: ProxyServer, worker: Worker
) -> None:
    with pytest.raises(ProxyClosed):
        worker.exec("detach(p); p.close()", p=server.create_proxy(io.StringIO()))


def test_closing_a_file_whose_kernel_has_ended_is_refused() -> None:
    with ProxyServer() as server, far(server.create_proxy(io.StringIO())) as proxy:
        server.close()
        with pytest.raises(KernelGone):
            proxy.close()


def test_a_proxy_can_be_left_when_its_kernel_has_ended() -> None:
    with ProxyServer() as server, far(server.create_proxy(Plain())) as proxy:
        server.close()
        proxy.close()
        assert repr(proxy) == "<closed proxy>"


def test_detach_takes_proxies_only(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally())
    for wrong in (5, proxy.count):
        with pytest.raises(NotShareable, match=r"detach\(\) must be given a proxy"):
            detach(wrong)


def test_frames_by_hand_are_the_servers_as_ever(server: ProxyServer) -> None:
    proxy = server.create_proxy(Tally(3))
    frame = Frame(0, [proxy._duck_idx, "value"])

    assert proxy.get_response(frame) == 3
