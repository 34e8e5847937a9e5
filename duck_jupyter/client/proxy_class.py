"""
The classes of proxies: one for each set of special methods and type name.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from ..protocol.special_methods import names_in
from ..protocol.traits import LABELLED, PLAIN
from .abstract_classes import bases_for
from .array_protocols import NUMBERS, array_of_number
from .buffers import (
    LENDS_BUFFERS,
    index_before_buffers,
    interface_before_buffers,
    release_buffer,
)
from .lost_changes import getitem_of_defaultdict
from .pandas_attributes import class_for_pandas, getattribute_for_pandas
from .special_methods import special_methods

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["class_maker"]

#: Special methods with which libraries need the object itself, not its methods.
TAKEN_ITSELF = frozenset({"__array__", "__arrow_c_stream__", "__buffer__"})


def class_maker(proxy: Any, call: Callable[..., Any]) -> Callable[[bytes, str], Any]:
    """
    Make the function that makes the classes.

    proxy: Their base class.
        proxy: The class that they are derived from.
        call: As for `special_methods`.

    Returns:
        A function that takes the specials and the type name of an `ObjectRef`.
    """
    methods = special_methods(call)

    @functools.lru_cache(maxsize=1024)
    def class_for(specials: bytes, type_name: str) -> Any:
        told = names_in(specials)
        namespace: dict[str, Any] = {
            name: methods[name] for name in told if name in methods
        }
        name = f"Proxy[{type_name}]"
        if "__eq__" in namespace and "__hash__" not in namespace:
            namespace["__hash__"] = None
        for kind in LABELLED:
            if kind in told:
                usual = proxy.__getattribute__
                namespace["__getattribute__"] = getattribute_for_pandas(usual, kind)
        if type_name == "defaultdict":
            namespace["__getitem__"] = getitem_of_defaultdict(proxy.__getitem__)
        if type_name in NUMBERS and "__array__" not in told:
            namespace["__array__"] = array_of_number(call, NUMBERS[type_name])
        for kind, plain in PLAIN.items():
            if kind in told:
                namespace["__class__"] = class_for_pandas(plain)
        if "__buffer__" in told and not LENDS_BUFFERS:
            namespace["__index__"] = index_before_buffers(call)
            if "__array__" not in told:
                namespace["__array_interface__"] = interface_before_buffers(call)
        if "__buffer__" in namespace:
            namespace["__release_buffer__"] = release_buffer
        if told & TAKEN_ITSELF:
            # Libraries that refuse a proxy print the name of its class.
            name = f"{name} (use fetch)"
        namespace |= {"__slots__": (), "__module__": proxy.__module__}
        return type(name, (proxy, *bases_for(told)), namespace)

    return class_for
