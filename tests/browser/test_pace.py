"""
How soon the screen shows what happens; the figures are printed, and are no tests.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from .cells import LOAD, MONITOR
from .notebook import KERNEL

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
#: Notes when lanes are drawn, by how many tasks had ended as the kernel told last; and
#: when the list of functions says so, whose words change once a second.
OBSERVE_ENDS = f"""([canvas, done]) => {{
    window.drawn = {{}};
    window.said = {{}};
    let count = 0;
    {KERNEL}.iopubMessage.connect((_, {{ content }}) => {{
        const runs = content.data?.content?.snapshot?.runs ?? [];
        count = Math.max(count, ...runs.map(run => run.done));
    }});
    const context = canvas.getContext('2d');
    const clear = context.clearRect;
    context.clearRect = function (...area) {{
        drawn[count] ??= Date.now();
        return clear.apply(this, area);
    }};
    const note = () => {{ said[parseInt(done.textContent)] ??= Date.now(); }};
    new MutationObserver(note).observe(
        done, {{ childList: true, characterData: true, subtree: true }});
}}"""
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


def end_now_and_then(gate: Gate) -> str:
    """
    Let tasks end at moments that no clock shares, and tell when; the last one waits.
    """
    return f"""
import random, time
from concurrent.futures import ProcessPoolExecutor
def score(number):
    while number > {CALLS} and not os.path.exists({gate}):
        threading.Event().wait(0.01)
    threading.Event().wait(random.uniform(0.4, 0.8))
    return time.time() * 1000
with ProcessPoolExecutor(1, mp_context=fork) as pool:
    for ended in pool.map(score, range({CALLS} + 2)):
        print(ended, flush=True)
"""


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


def test_the_end_of_a_task_is_soon_on_the_screen(
    notebook: Make, gate: MakeGate, capsys: pytest.CaptureFixture[str]
) -> None:
    until = gate()
    opened = notebook(LOAD, MONITOR, end_now_and_then(until))
    opened.run(0, 1)
    opened.widget.tab("Tasks")
    opened.begin(2)
    frame = opened.widget.frame
    done = frame.locator(".run[data-key] .done")
    canvas = frame.locator(".stream canvas")
    opened.page.evaluate(OBSERVE_ENDS, [canvas.element_handle(), done.element_handle()])
    expect(done).to_have_text(f"{CALLS + 1} / {CALLS + 2}")
    until.open()
    opened.end(2)
    ended = [float(word) for word in re.findall(r"\b\d{13}\.\d+\b", opened.output(2))]
    assert len(ended) == CALLS + 2
    for what in ("drawn", "said"):
        found = opened.page.evaluate(f"() => {what}")
        seen = {int(key): at for key, at in found.items()}
        # The first one may have ended before its row was there.
        waits = sorted(
            min(shown for number, shown in seen.items() if number >= count) - at
            for count, at in enumerate(ended[1:-1], start=2)
        )
        p50, p95 = waits[CALLS // 2], waits[CALLS * 95 // 100 - 1]
        with capsys.disabled():
            sys.stdout.write(
                f"\nthe end of a task in a worker is {what} after {p50:.0f} ms (p50), "
                f"{p95:.0f} ms (p95)\n"
            )
        assert p95 < MOST_MS
