"""What the package promises beside its commands."""

import ast
import subprocess
import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import softmax_cli
from softmax_cli import finite_difference
from softmax_cli.app.check import METHODS
from tests.program import ROOT, environment, run

PACKAGE = ROOT / "softmax_cli"


def test_the_version_is_one_and_the_same() -> None:
    assert run("--version").stdout == f"softmax-cli {softmax_cli.__version__}\n"
    assert version("softmax-calculator") == softmax_cli.__version__


def test_the_required_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [line.split(">")[0] for line in project["dependencies"]]
    assert names == ["typer", "numpy", "rich"]
    assert "typer<0.29,>=0.24" in (requires("softmax-calculator") or [])


def test_the_types_are_for_everyone() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_the_public_functions_are_the_ones_of_the_core() -> None:
    from softmax_cli import core, jacobian, log_softmax, softmax, vjp

    assert (softmax, log_softmax) == (core.softmax, core.log_softmax)
    assert (jacobian, vjp) == (core.jacobian, core.vjp)
    assert {"softmax", "log_softmax", "jacobian", "vjp"} <= set(dir(softmax_cli))
    with pytest.raises(AttributeError, match="no attribute 'sofmax'"):
        _ = softmax_cli.sofmax


@pytest.mark.parametrize(
    ("words", "loaded", "unloaded"),
    [
        (["--version"], "typer", {"numpy", "rich", "pydantic", "click", "polars"}),
        (["--help"], "typer", {"numpy", "pydantic"}),
        (["jacobian", "--help"], "typer", {"numpy", "pydantic"}),
        (["--show-completion", "bash"], "typer", {"numpy", "pydantic"}),
        (
            ["jacobian", "1", "2", "-f", "csv"],
            "numpy",
            {"rich", "pydantic", "scipy", "json", "polars"},
        ),
        (["jacobian", "1", "2", "-f", "json"], "numpy", {"rich", "pydantic", "scipy"}),
        (["jacobian", "1", "2", "-f", "jsonl"], "numpy", {"rich", "pydantic", "polars"}),
        (["forward", "1", "2", "-f", "npy", "-o", "/dev/null"], "numpy", {"rich", "polars"}),
        (["check", "1", "2", "-f", "tsv"], "numpy", {"rich", "pydantic", "scipy"}),
        (
            ["check", "1", "2", "--jacobian", "softmax_cli:jacobian", "-f", "json"],
            "softmax_cli.mistakes",
            {"rich", "pydantic", "scipy"},
        ),
        (["jacobian", "1", "2"], "rich", {"pydantic", "scipy", "polars"}),
    ],
)
def test_nothing_is_loaded_before_it_is_needed(
    words: list[str], loaded: str, unloaded: set[str]
) -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr))\n"
        "from softmax_cli.__main__ import main\n"
        f"main({words!r})\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment({})
    )
    modules = set(done.stderr.splitlines())
    assert loaded in modules
    assert not unloaded & modules


def test_completion_knows_commands_options_and_values() -> None:
    def complete(line: str) -> list[str]:
        words = line.split(" ")
        changes = {
            "_SOFTMAX_CLI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
        return run(env=changes).stdout.split()

    assert complete("softmax-cli jac") == ["jacobian"]
    assert "--format" in complete("softmax-cli forward --for")
    assert complete("softmax-cli forward 1 -2 --format c") == ["csv"]
    assert complete("softmax-cli check --method c") == ["central", "complex-step"]


def test_the_methods_on_offer_are_the_ones_there_are() -> None:
    assert set(METHODS) == set(finite_difference.METHODS)


def test_imports_run_one_way() -> None:
    floors = {
        "memory": -1, "ahead": 0, "process": 0, "errors": 0, "lookup": 0, "batch": 0, "core": 0,
        "fast_lane": 1, "polars_rows": 1, "progress": 1, "options": 1, "tokens": 1, "derivation": 1,
        "finite_difference": 1, "signs": 1, "result": 2,
        "calling": 0, "loading": 1, "mistakes": 1, "sweep": 2, "verdict": 2, "checking": 4,
        "reading": 2, "display": 3, "writing": 4, "commands": 5,
        "command_line": 6, "app": 7, "__main__": 8,
    }  # fmt: skip
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts == ("__init__",):
            continue
        for module in _own_imports(path):
            if module != parts[0]:
                assert floors[module] < floors[parts[0]], f"{path} imports {module}"


def test_the_mathematics_knows_no_terminal() -> None:
    for name in (
        "core",
        "finite_difference",
        "signs",
        "calling",
        "mistakes",
        "sweep",
        "verdict",
        "checking",
    ):
        tree = ast.parse((PACKAGE / f"{name}.py").read_text())
        imported = {
            (node.module or "").split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
        } | {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not imported & {"typer", "rich", "click"}


def _own_imports(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            parts = node.module.split(".")
            if parts[0] == "softmax_cli":
                modules |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return modules - {"__version__"}
