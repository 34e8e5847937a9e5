"""
Defaults that their caller recognizes by identity.

An example is ``d.get(key, MISSING) is MISSING``: a plain ``object()`` would come back
as another one. ``match`` looks up the keys of a mapping in this way.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .link import Link

__all__ = ["execute"]

#: Methods that return their second argument if they find nothing.
WITH_DEFAULT = frozenset({"get", "pop"})


class Default(enum.Enum):
    """
    Is sent in place of a default: a member of an enum keeps its identity.
    """

    IT = 0


def execute(
    link: Link, idx: int, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """
    Call a method as `Link.execute` does, and preserve the identity of a default.
    """
    if name in WITH_DEFAULT and len(args) == 2 and type(args[1]) is object:
        key, default = args
        value = link.execute(idx, name, (key, Default.IT), kwargs)
        return default if value is Default.IT else value
    return link.execute(idx, name, args, kwargs)
