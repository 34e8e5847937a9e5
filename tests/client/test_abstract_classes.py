"""
Proxies of mappings, sequences and sets are those of `collections.abc`.
"""

from __future__ import annotations

import array
import collections
from collections import abc
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.support.objects import Plain
from tests.support.workers import execute

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

KINDS = (
    *("Mapping", "MutableMapping", "Sequence", "MutableSequence", "Set", "MutableSet"),
    *("Sized", "Iterable", "Callable"),
)
MATCH = """
def which(x):
    match x:
        case {"a": a, **rest}:
            return "mapping", a, rest
        case {"b": b}:
            return "other", b
        case {}:
            return "empty"
        case [a, *rest]:
            return "sequence", a, rest
        case _:
            return "nothing"
"""


class Registered(abc.Mapping[str, int]):
    """
    A mapping that is no dict.
    """

    def __getitem__(self, key: str) -> int:
        return {"a": 1}[key]

    def __iter__(self) -> Any:
        return iter(["a"])

    def __len__(self) -> int:
        return 1


TARGETS: list[Any] = [
    {"a": 1},
    collections.OrderedDict(a=1, c=2),
    collections.defaultdict(list, b=2),
    collections.UserDict(a=1),
    collections.ChainMap({"a": 1}),
    MappingProxyType({"a": 1}),
    Registered(),
    [1, 2],
    (),
    (1, [2]),
    range(3),
    collections.deque([1, 2]),
    collections.UserList([1]),
    array.array("h", [1, 2]),
    "text",
    b"abc",
    bytearray(b"abc"),
    memoryview(b"abc"),
    {1, 2},
    frozenset({1}),
    {"a": 1}.keys(),
    {"a": 1}.items(),
    {"a": 1}.values(),
    Plain(),
    np.arange(3),
    iter([1]),
    5,
]


def kinds_of(value: Any) -> list[str]:
    return [name for name in KINDS if isinstance(value, getattr(abc, name))]


def which(value: Any) -> Any:
    space: dict[str, Any] = {}
    exec(MATCH, space)
    return space["which"](value)


@pytest.mark.parametrize("target", TARGETS, ids=lambda value: type(value).__name__)
def test_a_proxy_is_an_instance_of_what_its_object_is_one_of(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(target)
    code = "result = [name for name in kinds if isinstance(p, getattr(abc, name))]"

    assert worker.exec(code, p=proxy, kinds=KINDS) == kinds_of(target)
    assert kinds_of(proxy) == kinds_of(target)


@pytest.mark.parametrize("target", TARGETS, ids=lambda value: type(value).__name__)
def test_match_takes_a_proxy_for_what_it_takes_its_object_for(
    server: ProxyServer, worker: Worker, target: Any
) -> None:
    proxy = server.create_proxy(target)

    assert worker.exec(MATCH + "\nresult = which(p)", p=proxy) == which(target)
    assert which(proxy) == which(target)


def test_a_default_is_known_again_by_its_identity(
    server: ProxyServer, worker: Worker
) -> None:
    code = """
missing = object()
found = [
    p.get("z", missing) is missing,
    p.pop("z", missing) is missing,
    p.get("a", missing),
    p.get("none", missing),
    p.get("z", "text"),
    p.get("z"),
    p.pop("a", missing),
]
result = found
"""
    target = {"a": 1, "none": None}
    found = worker.exec(code, p=server.create_proxy(target))

    assert found == [True, True, 1, None, "text", None, 1]
    assert target == {"none": None}


#: What libraries make of a dict d, a list l, a dict of lists dl, a list of dicts ld, a
#: set s, a UserDict u and a dict of words w.
CALLS = """
dict(collections.Counter(d)) ;; pd.Series(d).to_dict() ;; pd.DataFrame(dl) ;;
pd.DataFrame(dl, columns=["y", "x"]) ;; pd.DataFrame(dl, index=[5, 6]) ;;
pd.DataFrame(ld) ;; pd.DataFrame([d, d]) ;; pd.DataFrame(data=dl, copy=False) ;;
pd.DataFrame.from_records(ld) ;; pd.DataFrame.from_dict(dl, orient="index") ;;
pd.Series(l) ;; pd.Series(["b", "a"]).map(d) ;; pd.Series([1, 9]).isin(s) ;;
pd.Series(["a", "b"]).replace(w) ;; pd.DataFrame({"a": [1]}).rename(columns=d) ;;
pd.DataFrame([[1, 2, 3, 4]])[l] ;; pd.Series(u).to_dict() ;; np.array(l).dtype ;;
pd.DataFrame({"k": d}) ;; pd.DataFrame(dl).agg({"x": "sum"}) ;; pd.DataFrame(u) ;;
sorted(random.sample(l, 3)) ;; random.choice(l) in l ;; json.dumps(d, default=dict) ;;
json.dumps([d], default=fetch) ;; collections.ChainMap({"z": 1}, d)["a"] ;;
collections.UserDict(u).data ;; collections.OrderedDict(d) ;; {"q": 1} | d ;;
{9} | s ;; {1, 9} & s ;; [9] + l ;; "%(a)s" % d ;; "{a}".format_map(d) ;; {**d}
"""
CALLED = [call.strip() for call in CALLS.split(";;")]


@pytest.mark.parametrize("call", CALLED)
def test_libraries_make_of_proxies_what_they_make_of_objects(
    server: ProxyServer, worker: Worker, call: str
) -> None:
    targets: dict[str, Any] = {
        "d": {"b": 3, "a": 5},
        "l": [3, 1, 2],
        "dl": {"y": [1, 2], "x": [3, 4]},
        "ld": [{"y": 1, "x": 2}, {"y": 3, "x": 4}],
        "s": {1, 2, 3},
        "u": collections.UserDict(b=3, a=5),
        "w": {"b": "c"},
    }
    proxies = {name: server.create_proxy(target) for name, target in targets.items()}
    code = f"found = {call}; result = type(found), str(found)"
    expected = worker.exec(code, **targets)

    assert worker.exec(code, **proxies) == expected
    assert execute(code, proxies) == expected
