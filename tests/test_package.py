"""What the package promises beside its commands."""

import subprocess
import sys
import tomllib
from importlib.metadata import version

import pytest

import softmax_cli
from softmax_cli.app import METHODS
from softmax_cli.mathematics import finite_difference
from tests.program import ROOT, environment, run

PACKAGE = ROOT / "softmax_cli"


def test_the_version_is_one_and_the_same() -> None:
    assert run("--version").stdout == f"softmax-cli {softmax_cli.__version__}\n"
    assert version("softmax-calculator") == softmax_cli.__version__


def test_the_required_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [line.split(">")[0] for line in project["dependencies"]]
    assert names == ["typer", "numpy", "rich"]
    assert "typer>=0.26,<0.29" in project["dependencies"]


def test_the_types_are_for_everyone() -> None:
    assert (PACKAGE / "py.typed").exists()


def test_the_public_functions_are_the_ones_of_the_core() -> None:
    from softmax_cli import jacobian, log_softmax, softmax, vjp
    from softmax_cli.mathematics import core

    assert (softmax, log_softmax) == (core.softmax, core.log_softmax)
    assert (jacobian, vjp) == (core.jacobian, core.vjp)
    assert {"softmax", "log_softmax", "jacobian", "vjp"} <= set(dir(softmax_cli))
    with pytest.raises(AttributeError, match="no attribute 'sofmax'"):
        _ = softmax_cli.sofmax  # type: ignore[attr-defined]


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
            "softmax_cli.checking.mistakes",
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
