"""
A pool that stays open while the extension is unloaded and loaded again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from .kernels import METHODS, PoolKernel

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

AGAIN = "%unload_ext duck_jupyter\nprint(result(submit(pool, abs, -3)))"


@pytest.mark.parametrize(
    ("kind", "method"),
    [*[(kind, x) for kind in ("executor", "Pool") for x in METHODS], ("loky", "spawn")],
)
def test_an_open_pool_has_all_features_again(
    pool_kernel: PoolKernel, tmp_path: Path, kind: str, method: str
) -> None:
    path = str(tmp_path / "begun")
    ran = pool_kernel.cell(
        "def add(i): return i + 1\n"
        f"pool = make({kind!r}, {method!r}, 2)\n"
        "print(result(submit(pool, add, 1)))"
    )
    assert (ran.text, ran.error) == ("2\n", "")
    for more in (10, 20):
        ran = pool_kernel.cell(AGAIN)
        assert (ran.text, ran.error) == ("3\n", "")
        ran = pool_kernel.cell(
            "%load_ext duck_jupyter\n"
            f"def add(i): return i + {more}\n"
            "print(result(submit(pool, add, 1)))"
        )
        assert (ran.text, ran.error) == (f"{more + 1}\n", "")
        ran = pool_kernel.cell("result(submit(pool, print, 'said'))")
        assert (ran.text, ran.error) == ("said\n", "")
    ran = pool_kernel.cell(
        f"tasks = [submit(pool, work.rest, {path!r}) for _ in range(9)]\n"
        f"while not os.path.exists({path!r}): threading.Event().wait(0.02)\n"
        "print('at work', flush=True)\n"
        "result(tasks[0])",
        interrupt_at="at work",
        interrupt=pool_kernel.signal,
    )
    assert "KeyboardInterrupt" in ran.error
    assert "Interrupt stopped " in ran.text
    ran = pool_kernel.cell("print(result(submit(pool, add, 1)))")
    assert (ran.text, ran.error) == ("21\n", "")
    ran = pool_kernel.cell("result(submit(pool, work.die))")
    assert "was killed by SIGKILL while it ran die()" in ran.error
