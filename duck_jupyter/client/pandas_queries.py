"""
``p.query("x > @limit")`` and ``p.eval(...)`` of a DataFrame: the names of the caller.

pandas looks names up in the frame that calls the method, which is one of the server's.
So the values that the text names are sent with it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from .proxy_method import ProxyMethod

__all__ = ["SCOPED", "ScopedMethod"]

#: The methods of a DataFrame that look names up.
SCOPED = frozenset({"query", "eval"})
#: What a text may mean by a variable. A name that the caller has not, such as a part of
#: a mail address in a string, is left out.
VARIABLES = re.compile(r"@\s*([^\W\d]\w*)")


class ScopedMethod(ProxyMethod):
    """
    One of the methods `SCOPED` of a proxy.
    """

    __slots__ = ()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """
        Call the method in the kernel, with the variables that its text names.
        """
        text = args[0] if args else kwargs.get("expr")
        if isinstance(text, str) and "@" in text:
            frame = sys._getframe(1)
            known = {**frame.f_globals, **frame.f_locals}
            names = set(VARIABLES.findall(text)) & known.keys()
            kwargs.setdefault("local_dict", {name: known[name] for name in names})
            kwargs.setdefault("global_dict", {})
        return super().__call__(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return ScopedMethod, (self.__self__, self.__name__)
