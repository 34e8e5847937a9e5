"""
Stands in a worker for a global of the notebook that cannot be pickled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Unsendable"]


class Unsendable:
    """
    Stands for a global that cannot be pickled. Each use of it raises the error.
    """

    def __init__(self, message: str) -> None:
        self.__dict__["_duck_message"] = message

    def _duck_refuse(self, /, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(self._duck_message)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._duck_refuse()

    def __setattr__(self, name: str, value: Any) -> None:
        self._duck_refuse()

    def __reduce__(self) -> tuple[Any, ...]:
        return Unsendable, (self._duck_message,)

    __call__: Callable[..., Any] = _duck_refuse
    __enter__: Callable[..., Any] = _duck_refuse
    __iter__: Callable[..., Any] = _duck_refuse
    __len__: Callable[..., Any] = _duck_refuse
    __getitem__: Callable[..., Any] = _duck_refuse
    __setitem__: Callable[..., Any] = _duck_refuse
    __contains__: Callable[..., Any] = _duck_refuse
    __bool__: Callable[..., Any] = _duck_refuse
    __next__: Callable[..., Any] = _duck_refuse
    __await__: Callable[..., Any] = _duck_refuse
    __add__: Callable[..., Any] = _duck_refuse
    __radd__: Callable[..., Any] = _duck_refuse

    def __exit__(self, *error: object) -> None:
        self._duck_refuse()
