"""
A process that runs tests as `runner` does, whose tests hang, crash and fail on purpose.
"""

from __future__ import annotations

import argparse
import os
import threading
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["NAMES", "main"]

NAMES = ["Case.passes", "Case.hangs", "Case.dies", "Case.fails"]


def main() -> None:
    """
    Do as the names of the tests say.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("suite")
    parser.add_argument("pipe", type=int)
    parser.add_argument("--proxies", action="store_true")
    parser.add_argument("--skip", type=int, default=0)
    options = parser.parse_args()
    pipe: Connection[Any, Any] = Connection(options.pipe)
    pipe.send(NAMES)
    for name in NAMES[options.skip :]:
        pipe.send(name)
        if name == "Case.hangs":
            threading.Event().wait()
        if name == "Case.dies":
            os.abort()
        pipe.send(("failed", "why") if name == "Case.fails" else ("passed", ""))


if __name__ == "__main__":
    main()
