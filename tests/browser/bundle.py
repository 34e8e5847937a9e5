"""
The widget's bundle in a page of its own, with a model that says what a test wants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.processes import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["open_bundle"]

BUNDLE = ROOT / "duck_jupyter" / "monitor" / "static" / "monitor.js"
OPEN = """async ([code, first]) => {
    const url = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    const { default: widget } = await import(url);
    const listeners = new Set();
    const model = {
        get: () => null, send: () => {},
        on: (_, listener) => listeners.add(listener),
        off: (_, listener) => listeners.delete(listener)
    };
    const frame = () => new Promise(requestAnimationFrame);
    window.tell = async (snapshot, waits) => {
        listeners.forEach(listener => listener({ kind: 'snapshot', snapshot }));
        if (waits) {
            // One draws what came, and one more follows it.
            await frame();
            await frame();
        }
    };
    const el = document.body.appendChild(document.createElement('div'));
    widget.render({ model, el });
    await window.tell(first, true);
}"""


def open_bundle(page: Page, snapshot: dict[str, Any]) -> None:
    """
    Show a snapshot; the page's `tell(snapshot, waits)` shows another one.

    Args:
        page: An empty page.
        snapshot: A whole snapshot, as the kernel sends it.
    """
    page.evaluate(OPEN, [BUNDLE.read_text(), snapshot])
