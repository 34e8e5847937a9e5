"""
What drawing the monitor takes: ``python -m tests.benchmarks.view [--quick] [--json]``.

A real kernel says what it has after its objects were read, and from there all numbers
go on; the widget's bundle draws them in Chromium, in a page of its own.
Needs the ``browser`` extra. A row that does not hold is no failure of the run: it says
so in the table.
"""

from __future__ import annotations

import pickle
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import sync_playwright

from duck_jupyter.monitor.viewers import PERIOD_S
from tests.browser.chromium import start_browser
from tests.magics.kernels import Kernel
from tests.monitor.fronts import Front
from tests.support.processes import ROOT

from .command import run
from .crowd import crowd_of
from .measures import quantile
from .station import Station
from .table import Row, not_above
from .workloads import read_all

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["main"]

BUNDLE = ROOT / "duck_jupyter" / "monitor" / "static" / "monitor.js"
HEIGHT = 900
#: Of a notebook, and of a side panel.
WIDTHS = (1180, 360)
MOST_MS = 16
LOAD = """
%load_ext duck_jupyter
from duck_jupyter import share
from tests.benchmarks.workloads import Target
many = [share(Target(), name=f"target_{{i}}") for i in range({objects})]
"""
#: Opens the widget over a model that says what it is told to: the kernel's snapshot,
#: and then what it would say later, with every row another.
OPEN = """async ([code, snapshot, period]) => {
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const { default: widget } = await import(url);
    const listeners = new Set();
    const model = {
        get: () => null, send: () => {},
        on: (_, listener) => listeners.add(listener),
        off: (_, listener) => listeners.delete(listener)
    };
    let message = { kind: 'snapshot', snapshot };
    window.prepare = () => {
        const later = structuredClone(message.snapshot);
        later.seq += 1;
        later.whole = false;
        later.time += period;
        for (const row of [...later.objects, later.totals]) {
            row.gets += 3;
            row.bytes_in += 60;
            row.bytes_out += 90;
        }
        for (const row of later.workers) {
            row.calls += 20;
            row.waited += 0.1;
        }
        message = { kind: 'snapshot', snapshot: later };
    };
    const frame = () => new Promise(requestAnimationFrame);
    window.tell = async () => {
        listeners.forEach(listener => listener(message));
        // One draws what came, and one more follows it.
        await frame();
        await frame();
    };
    const el = document.body.appendChild(document.createElement('div'));
    widget.render({ model, el });
}"""
ROWS = "div >> css=.objects .row[data-key]"


class Size(NamedTuple):
    """
    How much there is to draw, and how often.
    """

    objects: int
    workers: int
    updates: int


FULL = Size(objects=1000, workers=50, updates=100)
QUICK = Size(objects=50, workers=3, updates=5)


class Cost(NamedTuple):
    """
    Milliseconds in all, since the page was opened.
    """

    script: float
    layout: float


def record(size: Size) -> dict[str, Any]:
    """
    Ask a kernel for a snapshot, after every object was read.
    """
    with ExitStack() as stack:
        kernel = stack.enter_context(Kernel())
        kernel.run(LOAD.format(objects=size.objects))
        text = kernel.value("__import__('pickle').dumps(many).hex()")
        targets = pickle.loads(bytes.fromhex(text))
        stack.enter_context(crowd_of(size.workers - 1, targets[0]))
        reader = stack.enter_context(Station("reader"))
        reader.run(read_all, targets)
        found: dict[str, Any] = Front(kernel).ask("duck_snapshot")["snapshot"]
        assert len(found["objects"]) == size.objects
        assert len(found["workers"]) == size.workers
        return found


def cost_until_now(session: Any) -> Cost:
    """
    Ask Chromium what the page has taken.
    """
    metrics = session.send("Performance.getMetrics")["metrics"]
    found = {metric["name"]: 1e3 * metric["value"] for metric in metrics}
    return Cost(
        found["ScriptDuration"], found["LayoutDuration"] + found["RecalcStyleDuration"]
    )


def measure_width(
    page: Page, snapshot: dict[str, Any], size: Size, width: int
) -> list[Row]:
    """
    Measure some updates, after the one that draws everything first.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate(OPEN, [BUNDLE.read_text(), snapshot, PERIOD_S])
    page.evaluate("tell()")
    row = page.locator(ROWS).first
    drawn = row.inner_text()
    costs: list[Cost] = []
    pause = threading.Event()
    for _ in range(size.updates):
        # Timers of the view end in between.
        page.evaluate("prepare()")
        began = time.monotonic()
        before = cost_until_now(session)
        page.evaluate("tell()")
        pause.wait(began + PERIOD_S - time.monotonic())
        after = cost_until_now(session)
        costs.append(Cost(*(b - a for a, b in zip(before, after, strict=True))))
    if row.inner_text() == drawn:
        raise RuntimeError("the view does not draw what it is told")
    script, layout = ([cost[i] for cost in costs] for i in (0, 1))
    what = f"{size.objects:,} objects, {size.workers} workers, {width} px"
    return [
        Row(f"script per update, {what}: p50", "ms", quantile(script, 0.5)),
        not_above(
            f"script per update, {what}: p95", "ms", quantile(script, 0.95), MOST_MS
        ),
        Row(f"style and layout per update, {what}: p95", "ms", quantile(layout, 0.95)),
    ]


def measure(size: Size) -> list[Row]:
    """
    Measure at every width.
    """
    snapshot = record(size)
    rows: list[Row] = []
    with sync_playwright() as driver:
        browser = start_browser(driver)
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": HEIGHT})
            rows += measure_width(page, snapshot, size, width)
            page.close()
        browser.close()
    return rows


def main() -> None:
    """
    Measure, and print the table.
    """
    what = "Measure what drawing the live monitor takes."
    run("view", what, (FULL, QUICK), measure)


if __name__ == "__main__":
    main()
