"""
The contract of the module `duck_jupyter.proxy`: its names, signatures and values.
"""

from __future__ import annotations

import functools
import inspect
from enum import IntEnum
from multiprocessing.shared_memory import SharedMemory
from typing import TYPE_CHECKING, Any

import pytest

import duck_jupyter.proxy as module
from duck_jupyter.proxy import (
    Frame,
    LimitedProxyChaining,
    Proxy,
    ProxyError,
    ProxyObjectNotFound,
    ProxyOpCode,
    ProxyServer,
    get_callable_name,
    is_method_of,
)
from tests.support.objects import Plain, Tally, plus_one
from tests.support.processes import run_python

if TYPE_CHECKING:
    from collections.abc import Callable

ERRORS = [
    "ProxyError",
    "ProxyObjectNotFound",
    "DataDecodeError",
    "DataEncodeError",
    "DataTooBigError",
    "EmptyData",
    "LimitedProxyChaining",
]
NAMES = [
    *ERRORS,
    *("Frame", "Proxy", "ProxyOpCode", "ProxyServer"),
    *("get_callable_name", "is_method_of"),
]


def parameters(function: Callable[..., Any]) -> list[str]:
    """
    Give a function's parameters as they are written, without their types.
    """
    return [
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in inspect.signature(function).parameters.values()
    ]


def test_these_names_are_public_and_no_others() -> None:
    assert sorted(module.__all__) == sorted(NAMES)
    assert all(hasattr(module, name) for name in NAMES)


def test_every_error_is_a_proxy_error() -> None:
    assert all(issubclass(getattr(module, name), ProxyError) for name in ERRORS)
    assert ProxyError.__mro__[1] is Exception


def test_the_opcodes_have_these_numbers() -> None:
    assert issubclass(ProxyOpCode, IntEnum)
    assert {code.name: int(code) for code in ProxyOpCode} == {
        "GET": 0,
        "SET": 1,
        "EXECUTE": 2,
        "EXECUTION_RESULT": -1,
        "RESPONSE_PENDING": -2,
    }


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (LimitedProxyChaining, ["max_level", "target_obj=None"]),
        (Frame, ["opcode", "payload"]),
        (Frame.parse, ["data"]),
        (Proxy, ["proxy_server", "idx", "target_obj", "shared_memory=None"]),
        (Proxy.close, ["self"]),
        (Proxy.get_shared_memory, ["self"]),
        (Proxy.get_response, ["self", "frame", "timeout=None"]),
        (Proxy.read_frame, ["self", "shared_memory", "timeout=0.5"]),
        (Proxy.write_frame, ["self", "shared_memory", "frame"]),
        (ProxyServer.run, ["self", "threaded=True"]),
        (ProxyServer.handle_frame, ["self", "shared_memory", "frame"]),
        (ProxyServer.handle_request_frame, ["self", "shared_memory", "frame"]),
        (ProxyServer.read_frame, ["self", "shared_memory", "timeout=0.5"]),
        (ProxyServer.write_frame, ["self", "shared_memory", "frame"]),
        (get_callable_name, ["fn"]),
        (is_method_of, ["callable_obj", "obj"]),
    ],
)
def test_functions_have_these_signatures(
    function: Callable[..., Any], expected: list[str]
) -> None:
    assert parameters(function) == expected


def test_the_server_takes_more_by_name_alone() -> None:
    assert parameters(ProxyServer)[0] == "bufsize=4096"
    assert parameters(ProxyServer.create_proxy)[:3] == [
        *("self", "target_object", "shared_memory=None")
    ]
    for function, first in ((ProxyServer, 1), (ProxyServer.create_proxy, 3)):
        found = list(inspect.signature(function).parameters.values())
        assert {p.kind for p in found[first:]} == {inspect.Parameter.KEYWORD_ONLY}


def test_a_proxy_has_these_names_of_its_own() -> None:
    assert Proxy._DATA_SIZE_PREFIX_LEN == ProxyServer._DATA_SIZE_PREFIX_LEN == 4
    assert Proxy._callable_prefix == "<callable>-"
    assert Proxy._proxy_prefix == "<proxy>-"
    own = {"close", "get_shared_memory", "get_response", "read_frame", "write_frame"}
    assert own <= set(Proxy._cls_attrs)
    assert isinstance(Proxy.__slots__, tuple)
    assert "__dict__" not in dir(Proxy)
    for name in (
        *("__enter__", "__exit__", "__del__", "__getattribute__", "__setattr__"),
        *("__delattr__", "__getitem__", "__setitem__", "__repr__", "__str__"),
    ):
        assert name in vars(Proxy), name
    assert isinstance(inspect.getattr_static(ProxyServer, "running"), property)


def test_a_proxy_has_no_room_for_attributes_of_its_own() -> None:
    with ProxyServer(200) as server:
        proxy = server.create_proxy(Plain())
        with pytest.raises(AttributeError):
            object.__setattr__(proxy, "more", 1)


def test_a_frame_shows_what_it_holds() -> None:
    frame = Frame(ProxyOpCode.GET, [1, "name"])

    assert Frame.__slots__ == ("opcode", "payload")
    assert vars(Frame)["__str__"] is vars(Frame)["__repr__"]
    assert repr(Frame(0, [1, "name"])) == "<Frame opcode=0 payload=[1, 'name']>"
    assert (frame.opcode, frame.payload) == (0, [1, "name"])


def test_a_proxy_can_be_made_by_hand() -> None:
    target = Tally(3)
    with ProxyServer(bufsize=200) as server:
        proxy = server.create_proxy(target)
        idx = proxy._duck_idx
        block = SharedMemory(create=True, size=256)
        try:
            twin = Proxy(server, idx, target, block)

            assert twin.value == 3
            assert twin == proxy
            assert isinstance(twin, Proxy)
            attached = twin.get_shared_memory()
            assert attached.name == block.name
            attached.close()
            with pytest.raises(ProxyObjectNotFound):
                Proxy(server, idx + 1, target, block)
        finally:
            block.close()
            block.unlink()


def test_the_chain_error_says_where_and_what_to_do() -> None:
    error = LimitedProxyChaining(7, "Rolling at df.groupby().rolling()")

    assert error.max_level == 7
    assert error.target_obj == "Rolling at df.groupby().rolling()"
    for part in ("df.groupby().rolling()", "level 8", "--max-chain 8", "one call"):
        assert part in str(error)
    assert LimitedProxyChaining(3).target_obj is None
    assert "limit is 3" in str(LimitedProxyChaining(max_level=3, target_obj=None))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (plus_one, "plus_one"),
        (len, "len"),
        (Tally.add, "add"),
        (Tally().add, "add"),
        ([].append, "append"),
        (Tally, "Tally"),
        (functools.partial(plus_one, 1), "plus_one"),
        (functools.partial(functools.partial(Tally().count)), "count"),
        (lambda: None, "<lambda>"),
        (functools.lru_cache(plus_one), "plus_one"),
        (Plain(), "Plain"),
    ],
)
def test_a_callable_has_a_name(function: Any, expected: str) -> None:
    assert get_callable_name(function) == expected


def test_a_callable_object_is_named_after_its_type() -> None:
    class Model:
        def __call__(self) -> None: ...

    assert get_callable_name(Model()) == "Model.__call__"


def test_a_method_is_of_the_object_that_it_is_bound_to() -> None:
    one, other = Tally(), Tally()

    assert is_method_of(one.count, one)
    assert not is_method_of(one.count, other)
    assert is_method_of(functools.partial(one.add, 1), one)
    assert is_method_of(Tally.count, one)
    assert is_method_of(Tally.twice, one)
    assert is_method_of([].append, []) is False
    numbers = [1]
    assert is_method_of(numbers.append, numbers)
    assert not is_method_of(plus_one, one)
    assert not is_method_of(len, one)
    assert not is_method_of("count", one)


@pytest.mark.slow
def test_the_module_needs_no_notebook() -> None:
    code = """
import sys
from duck_jupyter.proxy import ProxyServer
for name in ("IPython", "traitlets", "ipywidgets", "anywidget", "jupyter_client"):
    sys.modules[name] = None
with ProxyServer(bufsize=200) as server:
    assert server.create_proxy([1]).pop() == 1
print([name for name in sys.modules if name.split(".")[0] in ("numpy", "cloudpickle")])
"""
    done = run_python(code)

    assert (done.stdout, done.stderr) == ("[]\n", "")
