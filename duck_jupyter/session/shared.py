"""
Shared: the names of a session as attributes of one object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import NotShareable
from ..protocol.live_tokens import live_token
from .names import Unshareable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .session import Session

__all__ = ["Shared"]


class Shared(Unshareable):
    """
    The proxies of a session by name: ``shared.df``, ``shared["my name"]``.

    It has no public names of its own. Reading a name first checks whether its variable
    has another object by now.

    Args:
        session: The session.
    """

    __slots__ = ("_session",)

    _session: Session

    def __init__(self, session: Session) -> None:
        object.__setattr__(self, "_session", session)

    # Any, because a proxy has the interface of its object.
    def __getattr__(self, name: str) -> Any:
        # Tools read such names of any object, and expect an AttributeError.
        if name.startswith("_"):
            raise AttributeError(f"Nothing can be shared under the name {name!r}.")
        return self._session.proxy(name)

    def __getitem__(self, name: str) -> Any:
        return self._session.proxy(name)

    def __setattr__(self, name: str, value: Any) -> None:
        # After `shared.results += [1]` Python sets the result of the operator: the
        # proxy itself.
        if name in self and value is self._session.proxy(name):
            return
        raise NotShareable(
            f"shared.{name} cannot be set. A shared name follows its variable: assign "
            f"to the variable, or share another object with share(obj, name={name!r})."
        )

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __delattr__(self, name: str) -> None:
        self._session.unshare([name])

    def __delitem__(self, name: str) -> None:
        self._session.unshare([name])

    def __contains__(self, name: object) -> bool:
        return any(shared.name == name for shared in self._session.names)

    def __iter__(self) -> Iterator[str]:
        return iter([shared.name for shared in self._session.names])

    def __len__(self) -> int:
        return len(self._session.names)

    def __bool__(self) -> bool:
        return bool(self._session.names)

    def __dir__(self) -> list[str]:
        return [name for name in self if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self)

    __dask_tokenize__ = live_token

    def __reduce__(self) -> tuple[Any, ...]:
        # A function of the notebook may refer to it; a worker gets its own.
        from .api import own_shared

        return own_shared, ()

    def _duck_proxies(self) -> dict[str, Any]:
        """
        Return the proxies by name, for a function of a cell that is sent to a worker.
        """
        return {shared.name: shared.proxy for shared in self._session.names}

    def __repr__(self) -> str:
        names = self._session.names
        if not names:
            return "<shared: nothing yet>"
        words = (f"{s.name} ({type(s.target).__name__})" for s in names)
        return f"<shared: {', '.join(words)}>"
