"""
Defaults that their caller knows again by identity: ``d.get(key, MISSING) is MISSING``.

A plain ``object()`` would come back as another one. ``match`` looks up the keys of a
mapping in this way.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .link import Link

__all__ = ["execute"]

#: Methods that give their second argument back where there is nothing else to give.
WITH_DEFAULT = frozenset({"get", "pop"})


class Default(enum.Enum):
    """
    What is sent in place of a default: a member of an enum keeps its identity.
    """

    IT = 0


def execute(
    link: Link, idx: int, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """
    Call a method of an object as `Link.execute` does, and keep a default as it is.
    """
    if name in WITH_DEFAULT and len(args) == 2 and type(args[1]) is object:
        key, default = args
        value = link.execute(idx, name, (key, Default.IT), kwargs)
        return default if value is Default.IT else value
    return link.execute(idx, name, args, kwargs)
