"""Somebody's code: it runs only when it is named, and changes nothing of what the program finds."""

import os
from pathlib import Path

import pytest

from tests.program import PROGRAM, SCRIPT, Outcome, run, run_cold

NAMES = [
    "base64", "bisect", "candidate_mine", "click", "colorsys", "csv", "data", "dataclasses",
    "decimal", "difflib", "fractions", "hashlib", "hmac", "html", "inspect", "json", "logging",
    "logits", "math", "numpy", "polars", "random", "rich", "secrets", "shutil", "socket",
    "softmax_cli", "statistics", "struct", "tempfile", "textwrap", "typer", "typing_extensions",
]  # fmt: skip
MINE = """
import numpy as np

def softmax(z):
    y = np.exp(z - z.max(-1, keepdims=True))
    return y / y.sum(-1, keepdims=True)

def wrong(z):
    return 2 * softmax(z)
"""
WORDS = [
    ("check", "1,2", "3,4", "--probabilities", "mine.py:wrong"),
    ("check", "1,2", "3,4", "--probabilities", "mine:wrong", "-f", "csv"),
    ("check", "1,2", "3,4", "--probabilities", "mine.py:softmax", "-f", "json"),
    ("jacobian", "1", "2", "-o", "j.parquet"),
]


def folder_of(names: list[str], folder: Path) -> Path:
    """Make a folder with our code, and a file for every name that tells when it is run."""
    folder.mkdir()
    for name in names:
        (folder / f"{name}.py").write_text("open('was-run', 'w')\nraise RuntimeError\n")
    (folder / "mine.py").write_text(MINE)
    return folder


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    return folder_of([], tmp_path / "clean")


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    return folder_of(NAMES, tmp_path / "crowded")


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("program", [SCRIPT, PROGRAM], ids=["script", "module"])
def test_files_in_the_working_directory_or_beside_the_code_stand_in_for_no_module(
    program: list[str], words: tuple[str, ...], clean: Path, crowded: Path
) -> None:
    if program == PROGRAM:
        (crowded / "softmax_cli.py").unlink()  # it would be what -m names
    assert run_cold(*words, cwd=crowded, program=program) == run(*words, cwd=clean)
    assert not (crowded / "was-run").exists()


def test_code_finds_what_lies_beside_it_also_when_it_is_called(clean: Path) -> None:
    (clean / "helper.py").write_text("calls = []\n")
    (clean / "mine.py").write_text(
        f"{MINE}\ndef counted(z):\n    import helper\n    helper.calls.append(z)\n"
        "    return softmax(z)\n"
    )
    words = ["--probabilities", "mine.py:counted", "-q"]
    assert run("check", "1,2", *words, cwd=clean) == Outcome(0, "", "")


def test_a_file_that_was_changed_within_the_second_is_the_file_that_is_checked(clean: Path) -> None:
    path = clean / "mine.py"
    for factor, status in (("1", 0), ("2", 1)):
        path.write_text(MINE.replace("return y /", f"return {factor} * y /"))
        os.utime(path, (0, 0))
        words = ["--probabilities", "mine.py:softmax", "-q"]
        outcome = run("check", "1,2", *words, cwd=clean, env={"PYTHONDONTWRITEBYTECODE": ""})
        assert (outcome.status, outcome.stderr) == (status, "")
    assert os.listdir(clean) == ["mine.py"]  # noqa: PTH208


@pytest.mark.parametrize(
    "words",
    [
        "forward data.py", "forward data.py:f", "forward logits:softmax", "forward json:loads 1",
        "jacobian 1 2 --vjp data.py:f", "jacobian 1 2 --vjp data:f", "data:f",
        "check 1 2 --vjp mine.py:softmax --upstream data:f", "check 1 2 --probabilities data",
        "check 1 2 --probabilities data.py", "check 1 2 x --probabilities data:f",
        "check 1 2 --temperature data:f --probabilities data:f", "forward 1 -f data:f",
        "forward --columns data:f -",
    ],
)  # fmt: skip
def test_no_code_runs_but_a_candidate(words: str, crowded: Path) -> None:
    assert run(*words.split(), cwd=crowded).status == 2
    assert not (crowded / "was-run").exists()
