"""
A session that ends with its test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.session.variables import Variables

if TYPE_CHECKING:
    from duck_jupyter.session.session import Session


@pytest.fixture
def variables(session: Session) -> Variables:
    """
    A notebook's variables, with nothing shared yet.
    """
    return Variables()
