"""
Methods of the builtin types that change nothing.
"""

from __future__ import annotations

from .groups import ARITHMETIC, MAPPING, SEQUENCE, TEXT, Table, words

__all__ = ["TABLE"]

_BYTES = words(SEQUENCE, TEXT, "__bytes__ decode fromhex hex")
_SET = """
    __and__ __contains__ __iter__ __or__ __sub__ __xor__ copy difference intersection
    isdisjoint issubset issuperset symmetric_difference union
"""
_VIEW_OF_SET = words(
    "__and__ __contains__ __iter__ __or__ __reversed__ __sub__ __xor__ isdisjoint"
)
_VIEW = words("__contains__ __iter__ __reversed__")
_INT = words(
    ARITHMETIC,
    "as_integer_ratio bit_count bit_length conjugate from_bytes is_integer to_bytes",
)

TABLE: Table = {
    "bool": _INT,
    "bytearray": _BYTES | words("copy"),
    "bytes": _BYTES,
    "complex": words(ARITHMETIC, "conjugate"),
    "dict": words(MAPPING),
    "dict_items": _VIEW_OF_SET,
    "dict_keys": _VIEW_OF_SET,
    "dict_values": _VIEW,
    "float": words(
        ARITHMETIC, "as_integer_ratio conjugate fromhex hex is_integer from_number"
    ),
    "frozenset": words(_SET),
    "int": _INT,
    "list": words(SEQUENCE, "copy"),
    "mappingproxy": words(MAPPING),
    "memoryview": words(
        "__bytes__ __contains__ __getitem__ __iter__ __reversed__ cast count hex index"
        " tobytes tolist toreadonly"
    ),
    "odict_items": _VIEW_OF_SET,
    "odict_keys": _VIEW_OF_SET,
    "odict_values": _VIEW,
    "range": words("__contains__ __getitem__ __iter__ __reversed__ count index"),
    "set": words(_SET),
    "slice": words("indices"),
    "str": words(
        SEQUENCE,
        TEXT,
        "casefold encode format format_map isdecimal isidentifier isnumeric"
        " isprintable",
    ),
    "tuple": words(SEQUENCE),
}
