"""
Every special method of the fixed list reaches the object, and no other does.
"""

from __future__ import annotations

import io
import pickle
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.errors import AccessDenied
from duck_jupyter.protocol.special_methods import (
    BINARY,
    DESCRIBING,
    INPLACE,
    SPECIAL_NAMES,
    bits_of,
    names_in,
)
from tests.support.objects import (
    Countdown,
    Old,
    Plain,
    Room,
    Speaking,
    Tally,
    numbers,
)

from .alike import in_kernel, in_worker, on_object

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

SYMBOLS = {
    **{"add": "+", "sub": "-", "mul": "*", "matmul": "@", "truediv": "/"},
    **{"floordiv": "//", "mod": "%", "pow": "**", "lshift": "<<", "rshift": ">>"},
    **{"and": "&", "or": "|", "xor": "^"},
    **{"lt": "<", "le": "<=", "eq": "==", "ne": "!=", "gt": ">", "ge": ">="},
}
SPOKEN = {
    **{f"__{name}__": f"p {sign} 5" for name, sign in SYMBOLS.items()},
    **{f"__r{n}__": f"5 {s} p" for n, s in SYMBOLS.items() if n in BINARY},
    "__divmod__": "divmod(p, 5)",
    "__rdivmod__": "divmod(5, p)",
    "__neg__": "-p",
    "__pos__": "+p",
    "__abs__": "abs(p)",
    "__invert__": "~p",
    "__int__": "int(p)",
    "__float__": "float(p)",
    "__complex__": "complex(p)",
    "__index__": "operator.index(p)",
    "__trunc__": "math.trunc(p)",
    "__floor__": "math.floor(p)",
    "__ceil__": "math.ceil(p)",
    "__hash__": "hash(p)",
    "__bool__": "bool(p)",
    "__len__": "len(p)",
    "__length_hint__": "p.__length_hint__()",
    "__bytes__": "bytes(p)",
    "__fspath__": "os.fspath(p)",
    "__round__": "round(p, 2)",
    "__format__": "format(p, 'abc')",
    "__getitem__": "p[1:'b']",
    "__setitem__": "p.__setitem__('k', 5)",
    "__delitem__": "p.__delitem__('k')",
    "__contains__": "5 in p",
    "__next__": "next(p)",
    "__call__": "p(1, 2)",
    "__dir__": "dir(p)",
}
#: These have tests of their own.
ELSEWHERE = {
    *(f"__i{name}__" for name in INPLACE),
    *("__iter__", "__reversed__", "__enter__", "__exit__"),
    *("__await__", "__aiter__", "__anext__", "__aenter__", "__aexit__", "__array__"),
    *("__arrow_c_stream__", "__buffer__"),
}


def test_the_list_of_special_names_is_covered() -> None:
    assert set(SPOKEN) | ELSEWHERE == set(SPECIAL_NAMES)


def test_every_special_method_reaches_the_object(
    server: ProxyServer, worker: Worker
) -> None:
    found = {
        name: in_worker(server, worker, "Speaking()", expression)
        for name, expression in SPOKEN.items()
    }

    # No method of a proxy's gives the object itself away: it would be a proxy.
    expected = {name: on_object("Speaking()", x) for name, x in SPOKEN.items()}
    for name in ("__setitem__", "__delitem__"):
        assert found.pop(name)[0] == expected.pop(name)[0] == "gives"
    assert found == expected


def test_every_special_method_works_in_the_kernel_as_well(server: ProxyServer) -> None:
    names = [name for name in SPOKEN if name not in ("__setitem__", "__delitem__")]
    found = {name: in_kernel(server, "Speaking()", SPOKEN[name]) for name in names}

    assert found == {name: on_object("Speaking()", SPOKEN[name]) for name in names}


@pytest.mark.parametrize("name", INPLACE)
def test_an_object_that_changes_in_place_stays_the_same_proxy(
    server: ProxyServer, worker: Worker, name: str
) -> None:
    target = Speaking()
    proxy = server.create_proxy(target)
    code = f"old = p; p {SYMBOLS[name]}= 5; result = p is old"

    assert worker.exec(code, p=proxy) is True
    assert target.log == [f"i{name} 5"]


def test_in_place_operators_of_values_give_new_values(
    server: ProxyServer, worker: Worker
) -> None:
    code = "p += 1; q -= {1}; result = p, type(q).__name__, len(q)"
    found = worker.exec(code, p=server.create_proxy(1), q=server.create_proxy({1, 2}))

    assert found == (2, "Proxy[set]", 1)


def test_a_list_grows_in_place_for_everybody(
    server: ProxyServer, worker: Worker
) -> None:
    target = [1]
    worker.exec("p += [2]; p *= 2; p[0] = 'a'; del p[1]", p=server.create_proxy(target))

    assert target == ["a", 1, 2]


def test_an_item_changes_in_place(server: ProxyServer, worker: Worker) -> None:
    target = {"n": 1}
    worker.exec("p['n'] += 5; p['m'] = (1, 2)", p=server.create_proxy(target))

    assert target == {"n": 6, "m": (1, 2)}


def test_an_attribute_is_set_and_deleted(server: ProxyServer, worker: Worker) -> None:
    target = Tally(1)
    proxy = server.create_proxy(target)
    worker.exec("p.value += 4; p.other = {1: (2,)}; p._private = 10**30", p=proxy)
    assert vars(target) == {"value": 5, "other": {1: (2,)}, "_private": 10**30}

    worker.exec("del p.other; delattr(p, '_private')", p=proxy)
    assert vars(target) == {"value": 5}

    with pytest.raises(AttributeError, match="other"):
        worker.exec("del p.other", p=proxy)


def test_what_a_property_refuses_is_refused(
    server: ProxyServer, worker: Worker
) -> None:
    with pytest.raises(AttributeError, match="double"):
        worker.exec("p.double = 5", p=server.create_proxy(Tally()))


@pytest.mark.parametrize(
    ("target", "absent"),
    [
        (Plain(), "len iter next call contains add index enter int reversed getitem"),
        ([], "next call int float enter fspath hash"),
        (5, "len iter next call contains getitem enter matmul"),
        ({}, "next call enter hash"),
        (Countdown(1), "len next getitem"),
        (Old(), "len next setitem"),
        (Room(), "iter call"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_proxy_has_no_special_method_that_its_object_has_not(
    target: Any, absent: str
) -> None:
    names = {f"__{name}__" for name in absent.split()}

    assert not names & names_in(bits_of(target))


def test_what_python_asks_of_the_type_is_answered_by_the_type(
    server: ProxyServer, worker: Worker
) -> None:
    code = """
from collections.abc import Callable, Hashable, Iterable, Iterator, Sized
kinds = (Callable, Hashable, Iterable, Iterator, Sized)
result = [isinstance(p, kind) for kind in kinds]
"""
    found = {
        name: worker.exec(code, p=server.create_proxy(target))
        for name, target in {
            "plain": Plain(),
            "list": [],
            "generator": iter([]),
            "class": Plain,
        }.items()
    }

    assert found == {
        "plain": [False, True, False, False, False],
        "list": [False, False, True, False, True],
        "generator": [False, True, True, True, False],
        "class": [True, True, False, False, False],
    }


def test_equal_proxies_are_one_key(server: ProxyServer, worker: Worker) -> None:
    target = Plain()
    proxy, other = server.create_proxy(target), server.create_proxy(target)

    assert worker.eval("p == q and {p: 1}[q] == 1", p=proxy, q=other)
    assert proxy == other
    assert {proxy: 1}[other] == 1
    assert proxy != server.create_proxy(Plain())


def test_names_with_two_underscores_that_are_on_no_list_are_denied(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(plus := Plain())
    names = ["__dict__", "__globals__", "__code__", "__wrapped__", "__array__", "__x"]
    code = "result = {name: hasattr(p, name) for name in names}"
    found = worker.exec(code, p=proxy, names=names)

    assert found == dict.fromkeys(names, False)
    with pytest.raises(
        AttributeError, match="cannot be used through a proxy"
    ) as caught:
        worker.eval("p.__dict__", p=proxy)
    assert type(caught.value).__name__ == "AccessDenied"
    with pytest.raises(AttributeError, match="no setting allows it"):
        worker.exec("p.__dict__ = {}", p=proxy)
    with pytest.raises(AttributeError, match="no setting allows it"):
        worker.exec("del p.__doc__", p=proxy)
    assert vars(plus) == {}


@pytest.mark.parametrize("name", sorted(DESCRIBING))
@pytest.mark.parametrize(
    "target",
    [Tally, Tally(1), numbers, len],
    ids=["class", "instance", "function", "builtin"],
)
def test_an_object_says_itself_what_it_is(
    name: str, target: Any, server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(target, allow=["no_other_name"])
    expected = getattr(target, name, "none")
    assert worker.eval(f"getattr(p, {name!r}, 'none')", p=proxy) == expected
    assert getattr(proxy, name, "none") == expected


@pytest.mark.parametrize(
    ("target", "code", "found"),
    [
        ([1], "p.__init__('ab'); result = list(p)", ["a", "b"]),
        (Tally(1), "p.__init__(5); result = p.value", 5),
        (io.BytesIO(), "p.__setstate__((b'ab', 1, None)); result = p.read()", b"b"),
        (io.BytesIO(b"ab"), "result = p.__getstate__()[:2]", (b"ab", 0)),
        (defaultdict(list), "result = p.__missing__(1), len(p)", ([], 1)),
        ({}, "result = hasattr(p, '__missing__')", False),
    ],
)
def test_a_special_method_that_is_called_by_hand_is_that_of_the_object(
    target: Any, code: str, found: Any, server: ProxyServer, worker: Worker
) -> None:
    assert worker.exec(code, p=server.create_proxy(target)) == found


@pytest.mark.parametrize("target", [[1], Tally(1)], ids=["C", "Python"])
@pytest.mark.parametrize("call", ["p.__init__()", "(lambda f: f())(p.__init__)"])
def test_what_is_read_only_is_not_made_anew(
    call: str, target: Any, server: ProxyServer, worker: Worker
) -> None:
    before = pickle.dumps(target)
    proxy = server.create_proxy(target, readonly=True)
    with pytest.raises(AccessDenied, match="shared read-only"):
        worker.eval(call, p=proxy)
    with pytest.raises(AccessDenied, match="shared read-only"):
        eval(call, {"p": proxy})
    assert pickle.dumps(target) == before
