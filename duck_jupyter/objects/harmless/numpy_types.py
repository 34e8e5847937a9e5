"""
Methods of numpy's arrays that change nothing.

Methods with an ``out`` argument write to it. If the read-only array itself is passed
there, it arrives as a view, and numpy refuses the write.
"""

from __future__ import annotations

from .groups import ARITHMETIC, Table, words

__all__ = ["TABLE"]

_ARRAY = words(
    ARITHMETIC,
    """
    __array__ __contains__ __getitem__ __iter__ __reversed__
    all any argmax argmin argpartition argsort astype choose clip compress conj
    conjugate copy cumprod cumsum diagonal dot flatten item max mean min nonzero prod
    ravel repeat reshape round searchsorted squeeze std sum swapaxes take tobytes
    tolist trace transpose var view
    """,
)

TABLE: Table = {
    "MaskedArray": (_ARRAY - words("searchsorted"))
    | words(
        "anom compressed count filled ids iscontiguous product ptp toflex  torecords"
    ),
    "flatiter": words("__array__ __getitem__ copy"),
    "generic": words(
        ARITHMETIC,
        """
        __array__ all any astype clip conj conjugate copy item max mean min round std
        sum tobytes tolist var
        """,
    ),
    "matrix": words("getA getA1 getH getI getT ptp"),
    "ndarray": _ARRAY,
    "recarray": words("field"),
}
