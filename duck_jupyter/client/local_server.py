"""
What a process can ask of a server that is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..protocol.references import ObjectRef

__all__ = ["LocalServer"]


class LocalServer(Protocol):
    """
    What a link needs of the server in whose process it is.
    """

    def local_call(self, idx: int, method: str, args: Any, kwargs: Any) -> Any:
        """
        Do in this process what an EXECUTE frame would.
        """

    def local_get(self, idx: int, name: str) -> Any:
        """
        Do in this process what a GET frame would.
        """

    def local_frame(self, opcode: int, payload: Sequence[Any]) -> Any:
        """
        Do in this process what any request frame would.
        """

    def local_set(self, idx: int, name: str, value: Any) -> None:
        """
        Do in this process what a SET frame would.
        """

    def local_desk(self, word: str, args: Sequence[Any]) -> Any:
        """
        Do in this process what a call to the server itself would.
        """

    def local_reference(
        self, idx: int, how: str, name: str, args: Any, kwargs: Any
    ) -> ObjectRef:
        """
        Do in this process what a call of `ref` would.
        """

    def local_claim(self, idx: int) -> Any:
        """
        Make a claim of this thread to the lock of an object.
        """

    def local_lock(self, claim: Any, timeout: float | None) -> None:
        """
        Wait until a claim holds its lock.
        """

    def local_end(self, claim: Any) -> None:
        """
        Give a claim up, whether it waits or holds its lock. Twice is fine.
        """

    def local_expression(self, target: Any) -> str:
        """
        Give what is typed for the proxy of an object; empty where it is not shared.
        """

    def local_context(self, idx: int) -> tuple[Any, Any, Any]:
        """
        Give an object, and the functions that enter and leave it.
        """

    def local_type(self, idx: int) -> type:
        """
        Give the type of an object.
        """

    def target_of(self, value: Any) -> Any:
        """
        Give the object itself for a proxy of this server, and anything else as it is.
        """

    def local_drop(self, idx: int) -> None:
        """
        Note that a proxy of a chained object went; safe in ``__del__``.
        """
