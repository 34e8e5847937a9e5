"""
The version. A test holds it to pyproject.toml.

It stands here, since `importlib.metadata` takes longer than all else that a worker
imports of the package.
"""

from __future__ import annotations

__version__ = "0.1.0"
