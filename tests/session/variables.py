"""
Variables of a notebook, shared as %share does, and what pools make of them.
"""

from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from duck_jupyter.session.api import own_session
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.shared_names import Wish

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy

__all__ = ["HANDLE_BYTES", "Variables", "dumps", "handed", "pickled"]

#: What is pickled for a worker is smaller, where it is a handle.
HANDLE_BYTES = 2048


class Variables(dict[str, Any]):
    """
    The namespace of a notebook.
    """

    def share(self, *names: str, alias: str | None = None, **terms: Any) -> Proxy:
        """
        Do what ``%share`` does, and give the proxy of the first name.
        """
        wishes = [Wish(alias or n, self[n], Source(self, n)) for n in names]
        return own_session().share(wishes, Terms(**terms))[0]


def dumps(value: Any, protocol: int | None = None) -> bytes:
    """
    Pickle for a worker.
    """
    return bytes(ForkingPickler.dumps(value, protocol))


def pickled(value: Any, protocol: int | None = None) -> int:
    """
    Tell how many bytes are pickled for a worker.
    """
    return len(dumps(value, protocol))


def handed(value: Any, protocol: int | None = None) -> Any:
    """
    Give what a worker gets of a value.
    """
    return pickle.loads(dumps(value, protocol))
