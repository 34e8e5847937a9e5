"""
The format of numbers for people.

Rates and times have two figures, because they change; sizes and totals have three. A
size in bytes is divided by 1024, like in ``df -h``.

``labextension/src/view/format.ts`` has the same format. The tests of both read the
table ``tests/data/formats.json``.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from .counts import place_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "UNKNOWN",
    "age",
    "duration",
    "exact",
    "in_bytes",
    "limited_bytes",
    "many",
    "percent",
    "plain_bytes",
    "quantile",
    "rate",
    "times",
    "total",
    "with_figures",
]

UNKNOWN = "–"  # noqa: RUF001 - a dash
THOUSANDS = ("", "k", "M", "G", "T")
BYTE_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
AGE_UNITS = ((60, 1, "s"), (3600, 60, "m"), (86400, 3600, "h"))


def _rounded(value: float, digits: int) -> str:
    """
    Round like JavaScript: a half goes up, and the binary value counts.
    """
    step = Decimal(1).scaleb(-digits)
    return str(Decimal(value).quantize(step, ROUND_HALF_UP))


def with_figures(value: float, figures: int) -> str:
    """
    Write a number with so many figures, or with as many as its integer part has.
    """
    for digits in range(figures - 1, 0, -1):
        if value < 10 ** (figures - digits) - 0.5 * 10**-digits:
            return _rounded(value, digits)
    return _rounded(value, 0)


def in_bytes(count: float | None, figures: int = 3) -> str:
    """
    Write a size, such as ``64.0 KB``.

    Args:
        count: Bytes, or None if the size is not known.
        figures: Three for a size, two for bytes in a second.
    """
    if count is None:
        return UNKNOWN
    unit = 0
    while count >= 1023.5 and unit < len(BYTE_UNITS) - 1:
        count /= 1024
        unit += 1
    number = with_figures(count, figures) if unit else _rounded(count, 0)
    return f"{number} {BYTE_UNITS[unit]}"


def plain_bytes(count: float) -> str:
    """
    Write a size from a setting, without zeros after the point: ``64 KB``.
    """
    number, unit = in_bytes(count).split()
    return f"{float(number):g} {unit}"


def limited_bytes(count: float | None, limit: float | None) -> str:
    """
    Write a size and the limit of it, if there is one: ``1.60 GB of 2 GB``.
    """
    if limit is None:
        return in_bytes(count)
    return f"{in_bytes(count)} of {plain_bytes(limit)}"


def rate(value: float | None) -> str:
    """
    Write a number of calls in a second, such as ``1.2k``.
    """
    if value is None:
        return UNKNOWN
    if value < 0.05:
        return "<0.1" if value > 0 else "0"
    unit = 0
    while value >= 999.5 and unit < len(THOUSANDS) - 1:
        value /= 1000
        unit += 1
    return with_figures(value, 2) + THOUSANDS[unit]


def total(count: int) -> str:
    """
    Write a total, such as ``9.21k``.
    """
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(THOUSANDS) - 1:
        value /= 1000
        unit += 1
    return with_figures(value, 3 if unit else 1) + THOUSANDS[unit]


def exact(count: int) -> str:
    """
    Write every figure of a count, such as ``336,776``.
    """
    return f"{count:,}"


def duration(seconds: float | None) -> str:
    """
    Write a time, such as ``12 µs`` or ``9.4 ms``.

    Args:
        seconds: The time, or None if it is not known.
    """
    if seconds is None:
        return UNKNOWN
    if seconds < 0.995e-3:
        value, unit = seconds / 1e-6, "µs"
    elif seconds < 0.995:
        value, unit = seconds / 1e-3, "ms"
    else:
        value, unit = seconds, "s"
    if value < 9.95:
        return f"{_rounded(value, 1).removesuffix('.0')} {unit}"
    if value < 99.5:
        return f"{_rounded(value, 0)} {unit}"
    return f"{int(_rounded(value / 10, 0)) * 10} {unit}"


def percent(value: float | None) -> str:
    """
    Write a share of 1 in percent, such as ``75 %``.
    """
    if value is None:
        return UNKNOWN
    hundredths = value * 100
    return "<1 %" if 0 < hundredths < 1 else f"{_rounded(hundredths, 0)} %"


def times(factor: float) -> str:
    """
    Write a factor, such as ``1.9×``.
    """  # noqa: RUF002 - a multiplication sign
    return f"{_rounded(factor, 1)}×"  # noqa: RUF001 - a multiplication sign


def age(seconds: float) -> str:
    """
    Write an age in whole units, such as ``3 m``.
    """
    whole = max(0, int(_rounded(seconds, 0)))
    for end, length, unit in AGE_UNITS:
        if whole < end:
            return f"{whole // length} {unit}"
    return f"{whole // 86400} d"


def many(count: int, what: str) -> str:
    """
    Write a count with its noun, such as ``1 object`` or ``1,000 objects``.
    """
    return f"1 {what}" if count == 1 else f"{exact(count)} {what}s"


def quantile(latency: Sequence[int], share: float) -> float | None:
    """
    Return the latency in seconds that a share of the calls stays below.

    The calls of a bucket count as evenly spread by logarithm, so the result is in the
    bucket of the measured value.

    Args:
        latency: Calls by latency; bucket i is under 2**i / 4 microseconds, and not
            under half of that.
        share: From 0 to 1.

    Returns:
        The latency, or None without calls.
    """
    place = place_in(latency, share)
    return None if place is None else float(2**place / 4e6)
