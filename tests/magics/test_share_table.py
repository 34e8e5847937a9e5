"""
The table of what is shared, as text and as HTML.
"""

from __future__ import annotations

from msgspec.structs import replace

from duck_jupyter.magics.share_table import Table
from duck_jupyter.session.overview import Overview
from tests.support.snapshots import golden

ROW = replace(
    golden().objects[0],
    gets=34,
    sets=200,
    executes=1000,
    last=64,
    peak=150,
    beside=3,
    handovers=1205,
    handed_bytes=3 << 30,
    bufsize=200,
    versions=2,
    version_bytes=3 << 20,
    mapped_bytes=1 << 20,
)
BAD = replace(
    ROW,
    path="cfg",
    type="<b>Cfg</b>",
    size="",
    level=1,
    last=0,
    peak=0,
    beside=0,
    handovers=0,
    handed_bytes=0,
    versions=0,
    last_error='KeyError: "x"\n<script>' + "x" * 100,
)

HEADINGS = (
    "Name Type Size Level Mode Workers Calls Bytes Buffer fill Handed over "
    "Versions Last error"
)


def test_the_text_is_a_sentence_and_aligned_columns() -> None:
    text = repr(Table(Overview("Serving 2 objects to 2 workers.", (ROW, BAD), 0)))
    state, empty, headings, rule, df, cfg = text.splitlines()
    assert (state, empty) == ("Serving 2 objects to 2 workers.", "")
    assert headings.split() == HEADINGS.split()
    assert set(rule) == {"-", " "}
    assert df.index("1,234") + len("1,234") == headings.index("Calls") + len("Calls")
    assert "336,776 x 19" in df
    assert "32 %, peak 75 % of 200 B, 3 larger" in df
    assert "1,205 times, 3.00 GB not copied" in df
    assert cfg.split("0 of 200 B")[1].split()[:2] == ["–", "–"]  # noqa: RUF001 - dashes
    assert "2 in 3.00 MB, 1.00 MB mapped, 1 awaited" in df
    assert cfg.startswith("  cfg")
    assert cfg.endswith("xxx...")


def test_nothing_shared_is_one_sentence() -> None:
    table = Table(Overview("Ready, nothing shared yet.", (), 0))
    assert repr(table) == "Ready, nothing shared yet."
    assert table._repr_html_() == "<p>Ready, nothing shared yet.</p>"


def test_html_holds_text_and_never_markup_of_an_object() -> None:
    html = Table(Overview("s", (ROW, BAD), 3))._repr_html_()
    assert "&lt;b&gt;Cfg&lt;/b&gt;" in html
    assert "<script>" not in html
    assert "<b>" not in html
    assert '"x"' not in html
    assert "and 3 more objects" in html


def test_a_front_end_gets_both() -> None:
    bundle = Table(Overview("s", (ROW,), 1))._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html"}
    assert "and 1 more object reached" in bundle["text/plain"]


def test_codes_for_a_terminal_are_shown_and_not_obeyed() -> None:
    code = "\x1b]0;owned\x07\x9b2J"
    row = replace(ROW, path=code, type=code, last_error=f"ValueError: {code}")
    table = Table(Overview("s", (row,), 0))
    for text, times in ((repr(table), 3), (table._repr_html_(), 4)):
        assert text.replace("\n", "").isprintable()
        assert text.count(r"\x1b]0;owned\x07\x9b2J") == times
