"""
What drawing the monitor takes: ``python -m tests.benchmarks.view [--quick] [--json]``.

A real kernel says what it has, while two processes go on reading all of its objects;
the widget's bundle draws it in Chromium, in a page of its own. Needs the ``browser``
extra. A row that does not hold is no failure of the run: it says so in the table.
"""

from __future__ import annotations

import argparse
import pickle
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import sync_playwright

from tests.browser.chromium import start_browser
from tests.magics.kernels import Kernel
from tests.monitor.fronts import Front, is_live
from tests.support.processes import ROOT

from .crowd import crowd_of
from .machine import describe_machine
from .measures import quantile
from .station import Station
from .table import Row, as_json, as_text, not_above
from .workloads import read_all

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["main"]

BUNDLE = ROOT / "duck_jupyter" / "monitor" / "static" / "monitor.js"
CLIENTS = 2
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
#: Opens the widget over a model that says what it is told to.
OPEN = """async ([code, messages]) => {
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const { default: widget } = await import(url);
    const listeners = new Set();
    const model = {
        get: () => null, send: () => {},
        on: (_, listener) => listeners.add(listener),
        off: (_, listener) => listeners.delete(listener)
    };
    let next = 0;
    const frame = () => new Promise(requestAnimationFrame);
    window.tell = async () => {
        const message = messages[next++];
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


def record(size: Size) -> list[dict[str, Any]]:
    """
    Hear what a kernel says, the whole first, while its objects are read.
    """
    with ExitStack() as stack:
        kernel = stack.enter_context(Kernel())
        kernel.run(LOAD.format(objects=size.objects))
        front = Front(kernel)
        text = kernel.value("__import__('pickle').dumps(many).hex()")
        targets = pickle.loads(bytes.fromhex(text))
        stack.enter_context(crowd_of(size.workers - CLIENTS, targets[0]))
        clients = [stack.enter_context(Station(f"client-{i}")) for i in range(CLIENTS)]
        for client in clients:
            client.run(read_all, targets, 0.0)
        # Four ticks a second, and some more.
        seconds = size.updates / 4 + 5
        for client in clients:
            client.start(read_all, targets, seconds)
        front.ask("duck_watch", viewer="benchmark", quiet=False)
        found = []
        while len(found) <= size.updates:
            message = front.hear(lambda m: is_live(m, "snapshot"))
            found.append(message["content"]["data"])
        front.ask("duck_unwatch", viewer="benchmark")
        for client in clients:
            client.result()
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
    page: Page, messages: list[dict[str, Any]], what: str, width: int
) -> list[Row]:
    """
    Measure all updates but the first, which draws everything.
    """
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.evaluate(OPEN, [BUNDLE.read_text(), messages])
    page.evaluate("tell()")
    page.locator(ROWS).first.wait_for()
    costs: list[Cost] = []
    pause = threading.Event()
    for _ in messages[1:]:
        # As far apart as a second's four; timers of the view end in between.
        began = time.monotonic()
        before = cost_until_now(session)
        page.evaluate("tell()")
        pause.wait(began + 0.25 - time.monotonic())
        after = cost_until_now(session)
        costs.append(Cost(*(b - a for a, b in zip(before, after, strict=True))))
    script, layout = ([cost[i] for cost in costs] for i in (0, 1))
    what = f"{what}, {width} px"
    return [
        Row(f"script per update, {what}: p50", "ms", quantile(script, 0.5)),
        not_above(
            f"script per update, {what}: p95", "ms", quantile(script, 0.95), MOST_MS
        ),
        Row(f"style and layout per update, {what}: p95", "ms", quantile(layout, 0.95)),
    ]


def main() -> None:
    """
    Measure, and print the table.
    """
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.view",
        description="Measure what drawing the live monitor takes.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="seconds, with numbers that mean little"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    machine = describe_machine()
    messages = record(size)
    what = f"{size.objects:,} objects, {size.workers} workers"
    rows: list[Row] = []
    with sync_playwright() as driver:
        browser = start_browser(driver)
        for width in WIDTHS:
            page = browser.new_page(viewport={"width": width, "height": HEIGHT})
            rows += measure_width(page, messages, what, width)
            page.close()
        browser.close()
    sys.stdout.write((as_json if options.json else as_text)(rows, machine))


if __name__ == "__main__":
    main()
