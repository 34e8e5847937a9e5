"""
The rows as TypeScript: ``python -m tests.support.typescript`` writes them down.

The types come from the JSON schema of a snapshot. The comments are those of the Python
sources, since a schema has none for fields.
"""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from duck_jupyter.session import snapshot
from duck_jupyter.session.snapshot import SCHEMA, Snapshot
from duck_jupyter.stats import rows, task_rows, worker_rows
from duck_jupyter.stats.worker_rows import NEAR_LIMIT
from tests.support.processes import ROOT

__all__ = ["TYPESCRIPT_FILE", "typescript"]

TYPESCRIPT_FILE = ROOT / "labextension" / "src" / "snapshot.ts"
HEAD = f"""\
/**
 * What the kernel sends. `python -m tests.support.typescript` generates this file from
 * `duck_jupyter/session/snapshot.py` and from `rows.py`, `task_rows.py` and
 * `worker_rows.py` in `duck_jupyter/stats`: do not edit it.
 *
 * Times are seconds since the epoch, sizes are bytes, and null is what is not known.
 */

export const SCHEMA = {SCHEMA};

/** The share of its limit at which a worker of Dask is paused. */
export const NEAR_LIMIT = {NEAR_LIMIT};
"""
NAMES = {"integer": "number", "number": "number", "string": "string"}
NAMES |= {"boolean": "boolean", "null": "null"}


def typescript() -> str:
    """
    Write a snapshot and its rows as interfaces.
    """
    parts = msgspec.json.schema(Snapshot)["$defs"]
    first, *others = parts
    return "\n".join(
        [HEAD, *(_interface(name, parts[name]) for name in (*others, first))]
    )


def _interface(name: str, schema: dict[str, Any]) -> str:
    home = next(
        each for each in (rows, task_rows, worker_rows, snapshot) if hasattr(each, name)
    )
    kind = getattr(home, name)
    comments = _comments(kind)
    lines = [*_comment(schema["description"], ""), f"export interface {name} {{"]
    for field, found in schema["properties"].items():
        lines += _comment(comments.get(field, ""), "  ")
        lines.append(f"  {field}: {_type(found)};")
    return "\n".join([*lines, "}", ""])


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(
            str(each) if isinstance(each, int) else f"'{each}'"
            for each in schema["enum"]
        )
    if "anyOf" in schema:
        # In an order of our own: that of msgspec is another in each version.
        kinds = sorted(map(_type, schema["anyOf"]), key=lambda kind: kind == "null")
        return " | ".join(kinds)
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    if schema["type"] == "array":
        item = _type(schema["items"])
        return f"({item})[]" if "|" in item else f"{item}[]"
    return NAMES[schema["type"]]


def _comments(kind: type) -> dict[str, str]:
    """
    Give the comments that stand before the fields of a struct.
    """
    found, words = {}, []
    for line in map(str.strip, inspect.getsource(kind).splitlines()):
        if line.startswith("#:"):
            words.append(line[2:].strip())
        elif words:
            found[line.partition(":")[0]] = " ".join(words)
            words = []
    return found


def _comment(text: str, indent: str) -> list[str]:
    if not text:
        return []
    text = text.replace("None", "null").replace("``", "`")
    line = f"{indent}/** {text} */"
    if len(line) <= 88:
        return [line]
    lines = [f"{indent} *"]
    for word in text.split():
        if len(lines[-1]) + len(word) >= 88:
            lines.append(f"{indent} *")
        lines[-1] += f" {word}"
    return [f"{indent}/**", *lines, f"{indent} */"]


if __name__ == "__main__":
    TYPESCRIPT_FILE.write_text(typescript(), encoding="utf-8")
