"""
On what the numbers were measured.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["describe_machine"]


def describe_machine() -> str:
    """
    Name cores, processor, Python, kernel and load, in one line.
    """
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, {processor()}, {platform.python_implementation()} "
        f"{platform.python_version()}, {platform.system()} {platform.release()}, "
        f"load {load:.2f}"
    )


def processor() -> str:
    """
    Name the processor.
    """
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.machine()
