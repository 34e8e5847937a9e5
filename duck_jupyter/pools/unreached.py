"""
Advice for an error of a pool that the features do not cover.
"""

from __future__ import annotations

import re
import sys

__all__ = ["explain"]

#: The message of pickle in a worker that does not have the name.
_MISSING = re.compile(r"Can't get attribute '(\w+)' on <module '__(?:mp_)?main__'")


def explain(error: BaseException | None) -> str | None:
    """
    Return what to do if a worker did not find a name of a cell, or None.

    Such a pool pickles functions of cells by name, and its workers have no cells.

    Args:
        error: The error of a cell.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        found = _MISSING.search(str(error))
        if found and hasattr(sys.modules["__main__"], found[1]):
            name = found[1]
            return (
                f"{name} is defined in a cell, and this pool pickles by itself, so its "
                f"workers cannot find it. Write {name} into a module and import it, or "
                "use a pool of concurrent.futures, multiprocessing, loky or joblib."
            )
        error = error.__cause__ or error.__context__
    return None
