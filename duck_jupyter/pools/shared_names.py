"""
``shared`` in a worker: the proxies of the names that the notebook shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import NotShareable, NotShared
from ..protocol.live_tokens import live_token

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SharedNames"]


class SharedNames:
    """
    The notebook's shared names, as they were when the task was submitted.

    Args:
        proxies: By name.
    """

    __slots__ = ("_proxies",)

    _proxies: dict[str, Any]

    def __init__(self, proxies: dict[str, Any]) -> None:
        object.__setattr__(self, "_proxies", proxies)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"Nothing can be shared under the name {name!r}.")
        return self[name]

    def __getitem__(self, name: str) -> Any:
        try:
            return self._proxies[name]
        except KeyError:
            known = ", ".join(self._proxies) or "nothing"
            raise NotShared(
                f"{name!r} was not shared when this task was submitted; shared were: "
                f"{known}. To share it, in the notebook: %share {name}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        # For `shared.results += [1]` Python sets the result, which is the proxy itself.
        if self._proxies.get(name) is not value:
            raise NotShareable(
                f"shared.{name} cannot be set. A shared name follows its variable in "
                "the notebook: change the object, or share another one there."
            )

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __contains__(self, name: object) -> bool:
        return name in self._proxies

    def __iter__(self) -> Iterator[str]:
        return iter(self._proxies)

    def __len__(self) -> int:
        return len(self._proxies)

    def __dir__(self) -> list[str]:
        return [name for name in self if name.isidentifier()]

    __dask_tokenize__ = live_token

    def __reduce__(self) -> tuple[Any, ...]:
        return SharedNames, (self._proxies,)

    def __repr__(self) -> str:
        return f"<shared by the notebook: {', '.join(self) or 'nothing'}>"
