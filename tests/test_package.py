"""What the package promises beside its commands."""

import sys
import tomllib
from importlib.metadata import requires, version
from pathlib import Path

import pytest

import softmax_cli
from tests.program import ROOT, run, run_cold


def test_the_version_is_one_and_the_same() -> None:
    assert run("--version").stdout == f"softmax-cli {softmax_cli.__version__}\n"
    assert version("softmax-calculator") == softmax_cli.__version__


def test_the_required_dependencies_are_three() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert [line.split(">")[0] for line in project["dependencies"]] == ["typer", "numpy", "rich"]
    assert "typer>=0.26,<0.29" in project["dependencies"]
    assert any(line.startswith("typer") for line in requires("softmax-calculator") or [])


def test_the_types_are_for_everyone_and_an_unknown_name_is_an_error(tmp_path: Path) -> None:
    assert (ROOT / "softmax_cli" / "py.typed").exists()
    (tmp_path / "user.py").write_text("import softmax_cli\nsoftmax_cli.softmaxx\n")
    settings = "[mypy]\nfollow_imports = skip\n[mypy-softmax_cli]\nfollow_imports = silent\n"
    (tmp_path / "mypy.ini").write_text(settings)
    words = [sys.executable, "-m", "mypy", "user.py"]
    done = run_cold(cwd=tmp_path, env={"MYPYPATH": str(ROOT)}, program=words)
    assert "softmaxx" in done.stdout, done.stderr
    assert "user.py:2: error: Module has no attribute" in done.stdout
    assert "Found 1 error in 1 file" in done.stdout


def test_the_public_functions_are_there_and_no_others() -> None:
    public = {"softmax", "log_softmax", "jacobian", "vjp", "Verdict", "CandidateError"}
    public |= {"check_probabilities", "check_jacobian", "check_vjp"}
    assert public <= set(dir(softmax_cli))
    for name in public:
        assert getattr(softmax_cli, name).__name__ == name
        assert getattr(softmax_cli, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'sofmax'"):
        getattr(softmax_cli, "sofmax")  # noqa: B009


@pytest.mark.parametrize(
    ("words", "loaded", "unloaded"),
    [
        ("--version", "typer", {"numpy", "rich", "click"}), ("--help", "typer", {"numpy"}),
        ("jacobian --help", "typer", {"numpy"}), ("--show-completion bash", "typer", {"numpy"}),
        ("jacobian 1 2 -f csv", "numpy", {"rich", "concurrent.futures", "pyarrow"}),
        ("jacobian 1 2 -f json", "numpy", {"rich", "concurrent.futures"}),
        ("jacobian 1 2 -f jsonl", "numpy", {"rich"}),
        ("forward 1 2 -f npy -o /dev/null", "numpy", {"rich"}),
        ("check 1 2 -f tsv", "numpy", {"rich"}),
        ("check 1 2 --jacobian softmax_cli:jacobian -f json", "numpy", {"rich"}),
        ("jacobian 1 2", "rich", {"concurrent.futures", "multiprocessing", "pyarrow"}),
    ],
)  # fmt: skip
def test_nothing_is_loaded_before_it_is_needed(words: str, loaded: str, unloaded: set[str]) -> None:
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print(*sys.modules, sep='\\n', file=sys.stderr))\n"
        "from softmax_cli.__main__ import main\n"
        f"main({words.split()!r})\n"
    )
    modules = set(run_cold(program=[sys.executable, "-c", code]).stderr.splitlines())
    assert loaded in modules
    assert not (unloaded | {"numpy.ma", "pydantic", "scipy", "polars"}) & modules


def test_completion_knows_commands_options_and_values() -> None:
    def complete(line: str) -> list[str]:
        changes = {
            "_SOFTMAX_CLI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(line.split(" ")) - 1),
        }
        return run(env=changes).stdout.split()

    assert complete("softmax-cli jac") == ["jacobian"]
    assert "--format" in complete("softmax-cli forward --for")
    assert complete("softmax-cli forward 1 -2 --format c") == ["csv"]
    assert complete("softmax-cli check --method c") == ["central", "complex-step"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [("forward", "7"), ("check", "1"), ("jacobian", "1"), ("check', '--vjp', 'f.py:f", "")],
)
def test_threads_of_blas_are_for_code_that_may_use_them(command: str, expected: str) -> None:
    code = "import os, atexit; show = lambda: print(os.environ.get('OPENBLAS_NUM_THREADS', ''))"
    code += f"; atexit.register(show); from softmax_cli.__main__ import main; main(['{command}'"
    code += ", '1', '2', '-o', '/dev/null', '-f', 'csv'])"
    changes = {"OPENBLAS_NUM_THREADS": "7"} if command == "forward" else {}
    assert run_cold(env=changes, program=[sys.executable, "-c", code]).stdout == f"{expected}\n"
