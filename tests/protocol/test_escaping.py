"""
What a terminal would obey is shown instead.
"""

from __future__ import annotations

import pytest

from duck_jupyter.protocol.escaping import printable


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("df", "df"),
        ("größe 数据", "größe 数据"),
        ("\x1b]0;owned\x07\x1b[2J", r"\x1b]0;owned\x07\x1b[2J"),
        ("two\r\nlines", r"two\r\nlines"),
        ("\x9b31m", r"\x9b31m"),
        ("turned\u202eround", r"turned\u202eround"),
        ("half \ud800", r"half \ud800"),
        ("quote's \x00", r"quote's \x00"),
    ],
)
def test_what_a_terminal_would_obey_is_escaped(raw: str, shown: str) -> None:
    assert printable(raw) == shown
    assert shown.isprintable()
