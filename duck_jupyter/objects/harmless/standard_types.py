"""
Methods of the standard library's types that change nothing.

Methods that move a position, such as ``read``, and methods that take a lock are left
out.
"""

from __future__ import annotations

from .groups import ARITHMETIC, MAPPING, SEQUENCE, TEXT, Table, words

__all__ = ["TABLES"]

_READING = "__contains__ __getitem__ __iter__ __or__ copy get items keys values"
_COLLECTIONS: Table = {
    "ChainMap": words("__contains__ __getitem__ __iter__ get items keys values"),
    "Counter": words(
        _READING,
        "__add__ __and__ __neg__ __pos__ __reversed__ __sub__ elements"
        " most_common total",
    ),
    "OrderedDict": words(MAPPING),
    "UserDict": words(_READING, "fromkeys"),
    "UserList": words(SEQUENCE, "copy"),
    "UserString": words(
        SEQUENCE,
        TEXT,
        "casefold encode format format_map isdecimal isidentifier isnumeric"
        " isprintable",
    ),
    "defaultdict": words(MAPPING),
    "deque": words(SEQUENCE, "copy"),
    # The views of a UserDict and a ChainMap.
    "ItemsView": words("__contains__ __iter__"),
    "KeysView": words(
        "__and__ __contains__ __iter__ __or__ __sub__ __xor__ isdisjoint"
    ),
    "ValuesView": words("__contains__ __iter__"),
}
_TIME = "isoformat replace strftime"
_DATE = f"{_TIME} __add__ __sub__ ctime isocalendar isoweekday timetuple toordinal"
_ZONED = "dst tzname utcoffset"
_QUEUE = words("empty full qsize")
_EVENT = words("is_set wait")
_FUTURE = words("cancelled done exception result running")
_STREAM = "isatty readable seekable writable"
_IN_MEMORY = words(_STREAM, "getvalue tell")

#: Keyed by the first part of the name of the module that defines the type.
TABLES: dict[str, Table] = {
    "_io": {
        "BufferedRandom": words(_STREAM, "fileno"),
        "BufferedReader": words(_STREAM, "fileno"),
        "BufferedWriter": words(_STREAM, "fileno"),
        "BytesIO": _IN_MEMORY,
        "FileIO": words(_STREAM, "fileno"),
        "StringIO": _IN_MEMORY,
        "TextIOWrapper": words(_STREAM, "fileno"),
    },
    "_queue": {"SimpleQueue": words("empty qsize")},
    "_thread": {"lock": words("locked")},
    "array": {
        "array": words(SEQUENCE, "buffer_info tobytes tolist tounicode"),
    },
    "collections": _COLLECTIONS,
    "concurrent": {"Future": _FUTURE},
    "datetime": {
        "date": words(_DATE, "weekday"),
        "datetime": words(
            f"{_DATE} {_ZONED}",
            "astimezone date time timestamp timetz utctimetuple weekday",
        ),
        "time": words(f"{_TIME} {_ZONED}"),
        "timedelta": words(ARITHMETIC, "total_seconds"),
    },
    "decimal": {
        "Decimal": words(
            ARITHMETIC,
            "adjusted as_integer_ratio as_tuple compare copy_abs copy_negate exp"
            " is_finite is_infinite is_nan is_signed is_zero ln log10 max min normalize"
            " quantize sqrt to_integral_value",
        )
    },
    "fractions": {
        "Fraction": words(
            ARITHMETIC, "as_integer_ratio conjugate is_integer limit_denominator"
        )
    },
    "multiprocessing": {
        "Event": words("is_set"),
        "JoinableQueue": _QUEUE,
        "Queue": _QUEUE,
        "SimpleQueue": words("empty"),
    },
    "pathlib": {
        "PurePath": words(
            "__bytes__ __truediv__ as_posix as_uri is_absolute is_relative_to joinpath"
            " match relative_to with_name with_stem with_suffix"
        ),
        "Path": words("absolute exists is_dir is_file resolve"),
    },
    "queue": {"Queue": _QUEUE},
    "re": {
        "Match": words("__getitem__ end expand group groupdict groups span start"),
        "Pattern": words("findall finditer fullmatch match search split sub subn"),
    },
    "threading": {"Event": _EVENT},
}
