"""
A session that ends with its test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from duck_jupyter.session.default import own_session
from tests.session.variables import Variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duck_jupyter.session.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """
    The session of this process, with nothing shared before and after.
    """
    session = own_session()
    assert session.server is None
    yield session
    session.stop()


@pytest.fixture
def variables(session: Session) -> Variables:
    """
    A notebook's variables, with nothing shared yet.
    """
    return Variables()
