"""
Builtin types.
"""

from __future__ import annotations

from collections import OrderedDict
from types import MappingProxyType
from typing import Any

import pytest

from duck_jupyter.objects.harmless.registry import TABLES
from tests.objects.harmless.walk import Sample, walk

ITEM = "__contains__(1); __getitem__(1); count(1); index(1); __mul__(2)"
TEXT = """
    __add__({0}'a'); __contains__({0}'a'); __getitem__(1); __mul__(2); __mod__(())
    center(20); count({0}'a'); endswith({0}'a'); find({0}'a'); index({0}'b')
    join([{0}'x', {0}'y']); ljust(20); maketrans({0}'a', {0}'b'); partition({0}'b')
    removeprefix({0}'a'); removesuffix({0}'c'); replace({0}'a', {0}'z'); rfind({0}'a')
    rindex({0}'a'); rjust(20); rpartition({0}'b'); startswith({0}'a')
    translate({1}); zfill(20); strip({0}'a'); lstrip({0}'a'); rstrip({0}'c')
"""
BYTES = TEXT.format("b", "bytes(range(1, 256)) + b'a'") + "fromhex('00ff')"
SET = "__contains__(1); " + "; ".join(
    f"{name}({{1, 9}})"
    for name in (
        *("__and__", "__or__", "__sub__", "__xor__", "difference", "intersection"),
        *("isdisjoint", "issubset", "issuperset", "symmetric_difference", "union"),
    )
)
MAPPING = """
    __contains__(1); __getitem__(1); __or__({1: 5, 9: 9}); fromkeys([7]); get(1)
"""
NUMBER = "from_bytes(b'1', 'big'); to_bytes(2, 'big')"


def a_dict() -> dict[int, Any]:
    return {1: "one", 2: [2]}


SAMPLES = {
    "bool": [Sample(lambda: True, NUMBER)],
    "bytearray": [Sample(lambda: bytearray(b"abc"), BYTES)],
    "bytes": [Sample(lambda: b"abc", BYTES)],
    "complex": [Sample(lambda: 2 + 3j)],
    "dict": [Sample(a_dict, MAPPING)],
    "dict_items": [Sample(lambda: {1: "one"}, SET, lambda whole: whole.items())],
    "dict_keys": [Sample(a_dict, SET, lambda whole: whole.keys())],
    "dict_values": [Sample(a_dict, "__contains__(1)", lambda whole: whole.values())],
    "float": [Sample(lambda: 2.5, "fromhex('0x1p3'); from_number(3)")],
    "frozenset": [Sample(lambda: frozenset({1, 2}), SET)],
    "int": [Sample(lambda: 1234, NUMBER)],
    "list": [Sample(lambda: [3, 1, 2], f"{ITEM}; __add__([1])")],
    "mappingproxy": [Sample(a_dict, MAPPING, MappingProxyType)],
    "memoryview": [
        Sample(
            lambda: bytearray(b"abc"),
            "__contains__(97); __getitem__(1); cast('B'); count(97); index(97)",
            memoryview,
        )
    ],
    "odict_items": [
        Sample(lambda: OrderedDict({1: 2}), SET, lambda whole: whole.items())
    ],
    "odict_keys": [
        Sample(lambda: OrderedDict(a_dict()), SET, lambda whole: whole.keys())
    ],
    "odict_values": [
        Sample(
            lambda: OrderedDict(a_dict()),
            "__contains__(1)",
            lambda whole: whole.values(),
        )
    ],
    "range": [Sample(lambda: range(9), ITEM)],
    "set": [Sample(lambda: {1, 2}, SET)],
    "slice": [Sample(lambda: slice(1, 9), "indices(5)")],
    "str": [
        Sample(
            lambda: "abc", TEXT.format("", "{97: 'z'}") + "format(1); format_map({})"
        )
    ],
    "tuple": [Sample(lambda: (3, 1, 2), f"{ITEM}; __add__((1,))")],
}


@pytest.mark.parametrize("kind", TABLES["builtins"])
def test_a_harmless_method_changes_nothing(kind: str) -> None:
    walk("builtins", kind, SAMPLES[kind], repr, {})
