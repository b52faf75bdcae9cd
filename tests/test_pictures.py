"""Pictures: the table as it looks, in a file of its own."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.program import SAMPLES, run, run_in_terminal

PETS = str(SAMPLES / "pets.csv")


def shown_text(path: Path) -> str:
    if path.suffix == ".svg":
        root = ElementTree.parse(path).getroot()
        texts = root.iter("{http://www.w3.org/2000/svg}text")
        return "".join(text.text or "" for text in texts).replace("\xa0", " ")
    return path.read_text()


@pytest.mark.parametrize("suffix", [".svg", ".txt"])
@pytest.mark.parametrize(
    "line", [f"forward {PETS}", "jacobian 2 1 0.1 --explain", "check 1 2 3", "forward 1 2 --log"]
)
def test_a_picture_shows_what_the_table_shows(tmp_path: Path, line: str, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    outcome = run(*line.split(), "-o", str(path))
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    table = run(*line.split()).stdout
    assert "".join(table.split()) in "".join(shown_text(path).split())
    assert suffix != ".txt" or path.read_text() == table


@pytest.mark.parametrize("suffix", [".svg"])
def test_the_heatmap_is_in_the_picture_and_nothing_is_fetched(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    run("jacobian", "1", "2", "3", "-o", str(path), env={"NO_COLOR": "1"})
    assert "#e66101" in path.read_text()
    assert not re.search(r"font-face|url\(http|<script|href", path.read_text())


@pytest.mark.parametrize("suffix", ["svg", "html", "txt"])
def test_what_is_stored_is_the_same_wherever_it_is_drawn(tmp_path: Path, suffix: str) -> None:
    words = ["jacobian", *map(str, range(12)), "-o", str(tmp_path / f"out.{suffix}")]
    stored = []
    for env in ({}, {"TERM": "dumb", "COLUMNS": "20"}, {"NO_COLOR": "1", "LC_ALL": "C"}, None):
        if env is None:
            run_in_terminal(*words, columns=40)
        else:
            run(*words, env=env)
        stored.append((tmp_path / f"out.{suffix}").read_bytes())
    assert len(set(stored)) == 1
    assert b"dz_7" in stored[0].replace(b"<bdi>", b"")
