"""Pictures: the table as it looks, in a file of its own."""

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from tests.program import SAMPLES, run, run_in_terminal

HOSTILE = 'name,<script>alert(1)</script>,"b"" onload=""x",\x1b]8;;http://x\x07\nr,1,2,3\n'


def shown_text(path: Path) -> str:
    if path.suffix == ".svg":
        root = ElementTree.parse(path).getroot()
        texts = root.iter("{http://www.w3.org/2000/svg}text")
        return "".join(text.text or "" for text in texts).replace("\xa0", " ")
    return unescape(re.sub(r"<[^>]+>", "", path.read_text()))


@pytest.mark.parametrize("suffix", [".svg", ".html"])
@pytest.mark.parametrize(
    "words",
    [
        ["forward", str(SAMPLES / "iris_logits.csv")],
        ["jacobian", "1", "2", "3"],
        ["jacobian", "2", "1", "0.1", "--explain"],
        ["check", "1", "2", "3"],
    ],
)
def test_a_picture_shows_what_the_table_shows(
    tmp_path: Path, words: list[str], suffix: str
) -> None:
    path = tmp_path / f"picture{suffix}"
    outcome = run(*words, "-o", str(path))
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    table = run(*words).stdout
    assert "".join(table.split()) in "".join(shown_text(path).split())


def test_the_heatmap_is_in_the_picture(tmp_path: Path) -> None:
    for suffix in (".svg", ".html"):
        path = tmp_path / f"picture{suffix}"
        run("jacobian", "1", "2", "3", "-o", str(path), env={"NO_COLOR": "1"})
        assert "#e66101" in path.read_text()


@pytest.mark.parametrize("suffix", [".svg", ".html"])
def test_names_stay_names_in_a_picture(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"picture{suffix}"
    assert run("forward", "-o", str(path), stdin=HOSTILE).status == 0
    content = path.read_text()
    assert "<script" not in content
    assert "\x1b" not in content
    assert "<script>alert(1)</script>" in shown_text(path)


WIDE = 'id,猫猫猫,नमस्ते,"<&日>",a\n魚魚 x,1,2,3,4\nsecond,4,3,2,1\n'
COLUMN = 12.2  # of an SVG, wide


def test_wide_names_have_the_room_of_their_columns_in_svg(tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    run("forward", "-o", str(path), stdin=WIDE)
    root = ElementTree.parse(path).getroot()
    width = float(root.attrib["viewBox"].split()[2])
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        if text.text and "textLength" in text.attrib:
            x, length = float(text.attrib["x"]), float(text.attrib["textLength"])
            assert length == pytest.approx(cell_len(text.text) * COLUMN, rel=1e-4)
            assert x + length <= width
    assert "nats" in shown_text(path)


def test_a_picture_fetches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.svg"
    run("jacobian", "1", "2", "-o", str(path))
    assert "font-face" not in path.read_text()
    assert "url(http" not in path.read_text()
    first = path.read_text()
    run("jacobian", "1", "2", "-o", str(path))
    assert path.read_text() == first


def test_a_picture_is_the_same_wherever_it_is_drawn(tmp_path: Path) -> None:
    settings: list[dict[str, str]]
    settings = [{}, {"TERM": "dumb", "COLUMNS": "20"}, {"NO_COLOR": "1", "LC_ALL": "C"}]
    for suffix in ("svg", "html", "txt"):
        drawn = []
        for changes in settings:
            path = tmp_path / f"out.{suffix}"
            run("forward", str(SAMPLES / "pets.csv"), "-p", "17", "-o", str(path), env=changes)
            drawn.append(path.read_bytes())
        assert drawn[0] == drawn[1] == drawn[2]


@pytest.mark.parametrize("suffix", ["txt", "svg", "html"])
def test_what_is_stored_does_not_depend_on_the_terminal(tmp_path: Path, suffix: str) -> None:
    words = ["jacobian", *map(str, range(12)), "-o"]
    run(*words, str(tmp_path / f"pipe.{suffix}"))
    run_in_terminal(*words, str(tmp_path / f"terminal.{suffix}"), columns=40)
    stored = [(tmp_path / f"{name}.{suffix}").read_bytes() for name in ("pipe", "terminal")]
    assert stored[0] == stored[1]
    assert b"dz_7" in stored[0]


def test_txt_is_the_table(tmp_path: Path) -> None:
    path = tmp_path / "table.txt"
    run("jacobian", "1", "2", "-o", str(path))
    assert path.read_text() == run("jacobian", "1", "2").stdout


def test_a_picture_is_only_a_file() -> None:
    for name in ("svg", "html"):
        problem, hint = run("forward", "1", "2", "-f", name).stderr.splitlines()
        assert problem.startswith("error: --format: expected one of table, csv, ")
        assert hint == f"hint: write a file with -o FILE.{name}"
