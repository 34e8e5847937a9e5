"""
Names that are common to several tables.
"""

from __future__ import annotations

from ...protocol.special_methods import BINARY

__all__ = ["ARITHMETIC", "LOOKS", "MAPPING", "SEQUENCE", "TEXT", "Table", "words"]

#: The name of a type within its library, and its methods that change nothing.
Table = dict[str, frozenset[str]]

#: Methods with which a type only describes itself, by the rules of the language.
LOOKS = frozenset(
    {
        *("__dir__", "__hash__", "__bool__", "__len__", "__length_hint__"),
        *("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__format__"),
        *("__int__", "__float__", "__complex__", "__index__", "__fspath__"),
        *("__trunc__", "__floor__", "__ceil__", "__round__"),
        *("__copy__", "__deepcopy__"),
    }
)


def words(*texts: str) -> frozenset[str]:
    """
    Return the words of some texts.
    """
    return frozenset(word for text in texts for word in text.split())


ARITHMETIC = " ".join(
    (*(f"__{name}__" for name in BINARY), "__neg__ __pos__ __abs__ __invert__")
)
SEQUENCE = """
    __add__ __contains__ __getitem__ __iter__ __mul__ __reversed__ count index
"""
MAPPING = """
    __contains__ __getitem__ __iter__ __or__ __reversed__ copy fromkeys get items keys
    values
"""
#: The methods of `str`, `bytes` and `bytearray`.
TEXT = """
    __mod__ capitalize center endswith expandtabs find isalnum isalpha isascii isdigit
    islower isspace istitle isupper join ljust lower lstrip maketrans partition
    removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split
    splitlines startswith strip swapcase title translate upper zfill
"""
