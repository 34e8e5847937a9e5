"""
Leaves out the benchmark of Ray on a Python for which it is not installed.
"""

from __future__ import annotations

from tests.support.ray_clusters import HAS_RAY

collect_ignore = [] if HAS_RAY else ["test_raycluster.py"]
