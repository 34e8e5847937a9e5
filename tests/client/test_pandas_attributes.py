"""
pandas gets of a proxy what it gets of the object, or an error that says to fetch it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from duck_jupyter.errors import ObjectNeeded
from tests.support.workers import execute

if TYPE_CHECKING:
    from duck_jupyter.proxy import ProxyServer
    from tests.support.workers import Worker

#: Rows in another order, so that an array in place of a Series gives wrong values.
LOCAL = """
s = pd.Series([10, 20], index=["b", "a"], name="l")
df = pd.DataFrame({"a": [1, 2], "z": [5, 6]}, index=["b", "a"])
found = """
#: What needs the labels of a Series p or the columns of a frame f.
NEEDING = """
pd.concat([f, f]) ;; pd.concat([df, f]) ;; pd.concat([p, s]) ;; pd.concat({"k": f}) ;;
pd.merge(f, df, on="a") ;; pd.merge(df, f, on="a") ;; df.merge(f, on="a") ;;
df[["z"]].join(f) ;; pd.merge_asof(f, df, on="a") ;;
pd.DataFrame(p) ;; df.assign(k=p) ;; df.__setitem__("k", p) ;; s.map(p) ;;
s.where(p > 1) ;; df.loc[p > 1] ;; s.add(p) ;; s.dot(p) ;; s.isin(p) ;;
s.combine_first(p) ;; s.groupby(p).sum() ;; s.__iadd__(p) ;; np.add(s, p) ;;
pd.get_dummies(p) ;; pd.crosstab(p, p) ;; pd.melt(f) ;; s.update(p)
"""
#: What works, by the object's own methods or by its data.
WORKING = """
s + p ;; p + s ;; s == p.reindex(s.index) ;; df + f ;; f - df ;; pd.DataFrame(f) ;;
pd.DataFrame({"k": p}) ;; pd.DataFrame({"k": p, "l": s}) ;; np.concatenate([p, p]) ;;
pd.Series(p) ;; pd.Series(p, index=["b", "a"]) ;; pd.Series(p, name="x") ;;
pd.Series(p, dtype="f8") ;; pd.DataFrame(f, columns=["b"]) ;; df.reindex(f.index) ;;
pd.Index(f.index) ;; pd.DataFrame({"k": [1, 2]}, index=f.index)
"""


def read(text: str) -> list[str]:
    return [code.strip() for code in text.split(";;")]


def targets() -> dict[str, Any]:
    series = pd.Series([1, 2], name="s", index=["a", "b"])
    return {
        "p": series,
        "f": pd.DataFrame({"a": [1, 2], "b": [3, 4]}, index=["a", "b"]),
    }


def shown(code: str) -> str:
    return f"""{LOCAL}{code}
if "Proxy" in repr(type(found)):
    found = fetch(found)
result = type(found).__name__, str(found)
"""


@pytest.mark.parametrize("code", read(NEEDING))
def test_in_a_worker_what_needs_the_object_says_to_fetch_it(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    proxies = {name: server.create_proxy(x) for name, x in targets().items()}

    with pytest.raises(ObjectNeeded, match=r"Pass fetch\(p\)"):
        worker.exec(LOCAL + code, **proxies)


@pytest.mark.parametrize("code", read(WORKING))
def test_in_a_worker_the_rest_gives_what_the_object_gives(
    server: ProxyServer, worker: Worker, code: str
) -> None:
    expected = execute(shown(code), targets())
    proxies = {name: server.create_proxy(x) for name, x in targets().items()}

    assert worker.exec(shown(code), **proxies) == expected


@pytest.mark.parametrize(
    "code", [x for x in read(NEEDING) + read(WORKING) if "__iadd__" not in x]
)
def test_in_the_kernel_all_gives_what_the_object_gives(
    server: ProxyServer, code: str
) -> None:
    expected = execute(shown(code), targets())
    proxies = {name: server.create_proxy(x) for name, x in targets().items()}

    assert execute(shown(code), proxies) == expected


#: What asks whether p is a list, and takes other sequences for arrays or for labels.
LISTED = """
pd.DataFrame(p) ;; pd.DataFrame(p, columns=["z"]) ;; pd.isna(p) ;; df[p] ;;
df.iloc[p] ;; df.loc[:, p] ;; df.groupby(p).sum() ;; df.sort_values(p) ;;
df.merge(df, on=p) ;; df.set_index(p) ;; df.__setitem__(p, 5) ;;
pd.Series(1, index=p) ;; pd.Series([p, p]) ;; s == p ;;
pd.DataFrame(df.to_numpy(), columns=p)
"""


@pytest.mark.parametrize("code", read(LISTED))
@pytest.mark.parametrize(
    "target", [["z", "a"], [1, 0], [True, False], [("a", 1), ("z", 2)]], ids=str
)
def test_pandas_takes_the_proxy_of_a_list_for_a_list(
    server: ProxyServer, worker: Worker, code: str, target: list[Any]
) -> None:
    code = f"""{LOCAL}None
try:
    found = {code}
    result = type(found).__name__, str(found), str(df)
except Exception as error:
    result = type(error).__name__, str(error)
"""
    expected = execute(code, {"p": target})

    assert worker.exec(code, p=server.create_proxy(target)) == expected


def test_pandas_makes_a_frame_of_the_proxy_of_a_tuple(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy((1, 2))

    found = worker.exec(f"{LOCAL}pd.DataFrame(p)\nresult = str(found)", p=proxy)

    assert found == str(pd.DataFrame((1, 2)))


def test_what_polars_refuses_says_to_fetch_it(
    server: ProxyServer, worker: Worker
) -> None:
    proxy = server.create_proxy(pl.DataFrame({"a": [1]}))
    for code in ("pl.concat([p, p])", "pl.concat([d, p])", "d.join(p, on='a')"):
        with pytest.raises(TypeError, match="use fetch"):
            worker.exec(
                f"import polars as pl\nd = pl.DataFrame({{'a': [1]}})\n{code}", p=proxy
            )


def test_numpy_joins_proxies(server: ProxyServer, worker: Worker) -> None:
    target = np.arange(3)
    proxy = server.create_proxy(target)
    for code in ("np.concatenate([p, p])", "np.stack([p, p])", "np.arange(3) + p"):
        found = worker.eval(code, p=proxy)
        expected = eval(code, {"np": np, "p": target})
        np.testing.assert_array_equal(found, expected)


def test_the_code_of_the_user_is_told_what_everybody_is_told(
    server: ProxyServer, worker: Worker
) -> None:
    proxies = {name: server.create_proxy(x) for name, x in targets().items()}
    code = """
found = df.index.map(lambda label: p.loc[label] + len(f.columns)).tolist()
result = found, isinstance(p, pd.Series), isinstance(f, pd.DataFrame)
"""
    assert worker.exec(LOCAL + "0\n" + code, **proxies) == ([4, 3], False, False)
