"""
How soon the screen shows what happens; the figures are printed, and are no tests.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .cells import LOAD, MONITOR

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from .notebook import Gate, Notebook

    Make = Callable[..., Notebook]
    MakeGate = Callable[[], Gate]

CALLS = 15
#: The first call of a method takes another frame, which asks what the name is.
FIRST_FRAMES = 2
#: Far from what is to be reached: machines that run tests are slow now and then.
MOST_MS = 5000
#: Calls at moments that no clock shares, when the row has been quiet, and tells when.
CALL_NOW_AND_THEN = f"""
import random, time
def call(box):
    box.take()
    for _ in range({CALLS}):
        threading.Event().wait(random.uniform(1.1, 1.6))
        box.take()
        print(time.time() * 1000, flush=True)
run_workers(call, shared.box)
"""
#: Notes when a row tells how many calls there were.
OBSERVE = """cell => {
    window.seen = {};
    const note = () => { window.seen[parseInt(cell.title)] ??= Date.now(); };
    new MutationObserver(note).observe(cell, { attributeFilter: ['title'] });
}"""
#: Runs `%duck monitor`, and notes when its first row is drawn.
DRAW = """async () => {
    const { content } = jupyterapp.shell.currentWidget;
    content.activeCellIndex = 1;
    const begin = performance.now();
    void jupyterapp.commands.execute('notebook:run-cell');
    const find = () => [...document.querySelectorAll('.jp-OutputArea-output div')]
        .some(({ shadowRoot }) => shadowRoot?.querySelector('.objects .row[data-key]'));
    while (!find()) {
        await new Promise(requestAnimationFrame);
    }
    return performance.now() - begin;
}"""


def test_a_call_is_soon_on_the_screen(
    notebook: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = notebook(LOAD, MONITOR, CALL_NOW_AND_THEN)
    opened.run(0)
    drawn = opened.page.evaluate(DRAW)
    cell = opened.widget.row("shared.box").locator(".c-rate")
    expect(cell).to_have_attribute("title", "0 calls")
    cell.evaluate(OBSERVE)
    opened.run(2)
    expect(cell).to_have_attribute("title", f"{FIRST_FRAMES + CALLS} calls")
    seen = {int(key): at for key, at in opened.page.evaluate("() => seen").items()}
    called = [float(word) for word in opened.output(2).split()]
    waits = sorted(
        min(shown for number, shown in seen.items() if number >= frames) - at
        for frames, at in enumerate(called, start=FIRST_FRAMES + 1)
    )
    assert len(waits) == CALLS
    p50, p95 = waits[CALLS // 2], waits[CALLS * 95 // 100 - 1]
    with capsys.disabled():
        sys.stdout.write(
            f"\n%duck monitor is drawn after {drawn:.0f} ms, and a call in a worker "
            f"after {p50:.0f} ms (p50), {p95:.0f} ms (p95)\n"
        )
    assert p95 < MOST_MS
    assert drawn < MOST_MS
