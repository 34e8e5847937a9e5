"""
How a shared name follows its variable.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from duck_jupyter import NotShared, locked, shared
from duck_jupyter.session.names import Source, Terms
from duck_jupyter.session.shared_names import Wish

if TYPE_CHECKING:
    from duck_jupyter.proxy import Proxy
    from duck_jupyter.session.session import Session


@pytest.fixture
def variables() -> dict[str, Any]:
    """
    A notebook's variables.
    """
    return {"df": [1, 2, 3]}


@pytest.fixture
def proxy(session: Session, variables: dict[str, Any]) -> Proxy:
    """
    The proxy of the variable `df`.
    """
    wish = Wish("df", variables["df"], Source(variables, "df"))
    return session.share([wish], Terms())[0]


def test_the_name_stands_for_the_new_object(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    variables["df"] = [1]
    session.follow()
    assert len(proxy) == 1


def test_whoever_asks_for_the_name_finds_the_new_object_at_once(
    variables: dict[str, Any], proxy: Proxy
) -> None:
    variables["df"] = [1]
    assert len(shared.df) == 1
    assert len(proxy) == 1


def test_the_name_has_the_special_methods_of_the_new_object(
    variables: dict[str, Any], proxy: Proxy
) -> None:
    variables["df"] = 41
    assert shared.df + 1 == 42


def test_an_object_that_is_equal_but_another_is_followed(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    variables["df"] = other = [1, 2, 3]
    session.follow()
    proxy.append(4)
    assert other == [1, 2, 3, 4]


def test_a_variable_that_is_no_more_unshares_its_name(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    del variables["df"]
    with pytest.raises(NotShared):
        _ = shared.df
    assert session.names == ()


def test_a_name_that_is_not_that_of_its_variable_is_asked_for_with_both(
    session: Session, variables: dict[str, Any]
) -> None:
    wish = Wish("data", variables["df"], Source(variables, "df"))
    session.share([wish], Terms())
    session.unshare(["data"])
    with pytest.raises(NotShared, match=r"To share it: %share df --as data$"):
        _ = shared.data
    session.share([wish], Terms())
    del variables["df"]
    with pytest.raises(NotShared, match=r"Assign df again, then: %share df --as data$"):
        _ = shared.data
    session.stop()
    with pytest.raises(NotShared, match=r"%share df --as data$"):
        _ = shared.data
    session.leave(variables)
    with pytest.raises(NotShared, match="To share it: %share data,"):
        _ = shared.data


def test_a_variable_that_names_its_own_proxy_changes_nothing(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    """
    That is what ``with locked(shared.df) as df`` does in a cell.
    """
    with locked(shared.df) as variables["df"]:
        session.follow()
        variables["df"].append(4)
    assert len(shared.df) == 4


def test_a_variable_that_names_a_module_changes_nothing(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    variables["df"] = json
    assert len(shared.df) == 3


def test_only_the_names_of_a_namespace_leave_with_it(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    session.share([Wish("stays", [1])], Terms())
    session.leave(variables)
    assert list(shared) == ["stays"]


def test_a_name_that_an_object_is_shared_under_follows_no_variable_any_more(
    session: Session, variables: dict[str, Any], proxy: Proxy
) -> None:
    session.share([Wish("df", [1])], Terms())
    variables["df"] = [1, 2]
    assert len(shared.df) == 1
