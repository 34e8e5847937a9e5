"""
``p.query("x > @limit")`` and ``p.eval(...)`` of a DataFrame: the caller's variables.

pandas looks names up in the frame that calls the method, which is a frame of the
server. So the values of the names in the text are sent with it.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from .proxy_method import ProxyMethod

__all__ = ["SCOPED", "ScopedMethod"]

#: The methods of a DataFrame that look names up.
SCOPED = frozenset({"query", "eval"})
#: Matches variables in a text. A name that the caller does not have, such as a part of
#: a mail address in a string, is skipped.
VARIABLES = re.compile(r"@\s*([^\W\d]\w*)")


class ScopedMethod(ProxyMethod):
    """
    A method of a proxy whose name is in `SCOPED`.
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
