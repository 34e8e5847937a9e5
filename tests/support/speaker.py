"""
A kernel that speaks another language: ``python -m tests.support.speaker -f FILE``.
"""

from __future__ import annotations

from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

__all__ = ["Speaker"]


class Speaker(Kernel):
    """
    It says nothing to anything.
    """

    implementation = "speaker"
    implementation_version = "1"
    banner = "It listens."
    language_info = {  # noqa: RUF012 - as its base has it
        "name": "R",
        "mimetype": "text/x-r",
        "file_extension": ".r",
    }

    async def do_execute(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        return {"status": "ok", "execution_count": 0, "payload": []}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Speaker)
