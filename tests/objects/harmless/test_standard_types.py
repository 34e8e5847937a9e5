"""
Types of the standard library.
"""

from __future__ import annotations

import datetime
import multiprocessing
import queue
import re
import sys
import threading
from array import array
from collections import (
    ChainMap,
    Counter,
    OrderedDict,
    UserDict,
    UserList,
    UserString,
    defaultdict,
    deque,
)
from concurrent.futures import Future
from decimal import Decimal
from fractions import Fraction
from io import BytesIO, StringIO
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.test_builtin_types import ITEM, MAPPING, SET, TEXT
from tests.objects.harmless.walk import Sample, call, walk

if TYPE_CHECKING:
    from collections.abc import Callable

DATE = "replace(year=1999); strftime('%Y'); __sub__(datetime.timedelta(1)); "
DATE += "__add__(datetime.timedelta(1))"


def a_default() -> Any:
    return defaultdict(list, {1: "one", 2: [2]})


def a_chain() -> Any:
    return ChainMap({1: "one"}, {2: "two"})


def a_queue(kind: Callable[[], Any]) -> Callable[[], Any]:
    def make() -> Any:
        items = kind()
        items.put(1)
        return items

    return make


def a_future() -> Any:
    future: Future[int] = Future()
    future.set_result(7)
    return future


def an_event() -> Any:
    event = threading.Event()
    event.set()
    return event


#: The code of an array of text; the older one is deprecated.
TEXT_CODE: Any = "w" if sys.version_info >= (3, 13) else "u"

SAMPLES: dict[str, dict[str, list[Sample]]] = {
    "_queue": {"SimpleQueue": [Sample(a_queue(queue.SimpleQueue))]},
    "_thread": {"lock": [Sample(threading.Lock)]},
    "array": {
        "array": [
            Sample(lambda: array("i", [3, 1, 2]), f"{ITEM}; __add__(array('i', [1]))"),
            Sample(lambda: array(TEXT_CODE, "abc"), "tounicode()"),
        ]
    },
    "collections": {
        "ChainMap": [Sample(a_chain, MAPPING)],
        "Counter": [
            Sample(
                lambda: Counter("abca"),
                """
                __add__(Counter('a')); __and__(Counter('a')); __or__(Counter('a'))
                __sub__(Counter('a')); __contains__('z'); __getitem__('z'); get('z')
                most_common(1)

                """,
            ),
        ],
        "OrderedDict": [Sample(lambda: OrderedDict({1: 2, 3: 4}), MAPPING)],
        "UserDict": [Sample(lambda: UserDict({1: 2}), MAPPING)],
        "UserList": [Sample(lambda: UserList([3, 1, 2]), f"{ITEM}; __add__([1])")],
        "UserString": [
            Sample(
                lambda: UserString("abc"),
                TEXT.format("", "{97: 'z'}") + "format(1); format_map({})",
            )
        ],
        "defaultdict": [Sample(a_default, MAPPING)],
        "deque": [Sample(lambda: deque([3, 1, 2]), f"{ITEM}; __add__(deque([1]))")],
        "ItemsView": [
            Sample(a_chain, "__contains__((1, 2))", lambda whole: whole.items())
        ],
        "KeysView": [Sample(a_chain, SET, lambda whole: whole.keys())],
        "ValuesView": [
            Sample(a_chain, "__contains__(1)", lambda whole: whole.values())
        ],
    },
    "concurrent": {"Future": [Sample(a_future)]},
    "datetime": {
        "date": [Sample(lambda: datetime.date(2026, 1, 2), DATE)],
        "datetime": [Sample(lambda: datetime.datetime(2026, 1, 2, 3), DATE)],
        "time": [Sample(lambda: datetime.time(3), "replace(4); strftime('%H')")],
        "timedelta": [
            Sample(
                lambda: datetime.timedelta(3),
                "; ".join(
                    f"__{name}__(datetime.timedelta(1))"
                    for name in ("add", "sub", "mod", "divmod")
                ),
            )
        ],
    },
    "decimal": {
        "Decimal": [
            Sample(
                lambda: Decimal("2.50"),
                "compare(Decimal(1)); max(Decimal(1)); min(Decimal(1));"
                "quantize(Decimal('0.1'))",
            )
        ]
    },
    "fractions": {"Fraction": [Sample(lambda: Fraction(2, 3))]},
    "multiprocessing": {
        "Event": [Sample(multiprocessing.Event)],
        "JoinableQueue": [Sample(multiprocessing.JoinableQueue)],
        "Queue": [Sample(multiprocessing.Queue)],
        "SimpleQueue": [Sample(multiprocessing.SimpleQueue)],
    },
    "pathlib": {
        "PurePath": [
            Sample(
                lambda: PurePath("/a/b.txt"),
                """
                __truediv__('c'); is_relative_to('/a'); joinpath('c'); match('*.txt')
                relative_to('/a'); with_name('c'); with_stem('c'); with_suffix('.c')
                """,
            )
        ],
        "Path": [Sample(lambda: Path("a"))],
    },
    "queue": {"Queue": [Sample(a_queue(queue.Queue))]},
    "re": {
        "Match": [
            Sample(lambda: re.match("(a)b", "ab"), "__getitem__(1); expand('x')"),
        ],
        "Pattern": [
            Sample(
                lambda: re.compile("b"),
                "; ".join(
                    f"{name}('abc')"
                    for name in ("findall", "finditer", "match", "search", "split")
                )
                + "; fullmatch('abc'); sub('x', 'abc'); subn('x', 'abc')",
            )
        ],
    },
    "threading": {"Event": [Sample(an_event, "wait(1)")]},
}


def state(whole: Any) -> Any:
    if isinstance(whole, queue.Queue):
        return list(whole.queue)
    return repr(whole)


def state_of_stream(stream: Any) -> Any:
    return stream.tell(), stream.getvalue(), stream.closed


@pytest.mark.parametrize(
    ("library", "kind"),
    [(library, kind) for library in SAMPLES for kind in TABLES[library]],
)
def test_a_harmless_method_changes_nothing(library: str, kind: str) -> None:
    walk(library, kind, SAMPLES[library][kind], state, globals())


@pytest.mark.parametrize("make", [lambda: BytesIO(b"abc"), lambda: StringIO("abc")])
def test_a_harmless_method_of_a_stream_in_memory_changes_nothing(make: Any) -> None:
    stream = make()
    stream.seek(1)
    for name in TABLES["_io"]["BytesIO"]:
        assert call(Sample(lambda: stream), name, state_of_stream, {})


@pytest.mark.parametrize(
    ("mode", "buffering"),
    [("rb", 0), ("rb", -1), ("ab", -1), ("rb+", -1), ("r", -1)],
    ids=["FileIO", "BufferedReader", "BufferedWriter", "BufferedRandom", "TextIO"],
)
def test_a_harmless_method_of_a_file_changes_nothing(
    tmp_path: Path, mode: str, buffering: int
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"some text")
    with path.open(mode, buffering) as file:
        file.seek(3)
        for name in TABLES["_io"]["FileIO"]:
            assert call(Sample(lambda: file), name, lambda file: file.tell(), {})


def test_every_table_is_walked() -> None:
    others = {"_io", "builtins", "numpy", "pandas", "polars", "pyarrow"}
    assert set(SAMPLES) | others == set(TABLES)
