"""
The version, as the installed distribution states it; pyproject.toml is its source.
"""

from __future__ import annotations

from importlib.metadata import version

__version__ = version("duck-jupyter")
