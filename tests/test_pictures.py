"""Charts, and what -o stores, which no terminal changes."""

import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from softmax_cli.writing.formats import SUFFIXES
from tests.program import PETS, SAMPLES, refused, run, run_cold, run_in_terminal, without
from tests.test_names import HOSTILE, unsafe
from tests.typeset import needs

IRIS = SAMPLES / "iris_logits.csv"
BEGIN = {"png": b"\x89PNG\r\n", "pdf": b"%PDF-", "svg": b"<?xml "}


def texts(path: Path) -> list[str]:
    found = ElementTree.parse(path).iter("{http://www.w3.org/2000/svg}text")
    return ["".join(each.itertext()) for each in found]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"forward {PETS}", {"photo of a cat", "y_owl", "0.659", "0.0986"}),
        (f"forward {PETS} --top 2", {"photo of a cat", "cat 0.659", "dog 0.242"}),
        ("forward 2 1 0.1 --top 2", {"1 0.659"}),
        ("forward 40 0", {"y_1", "1 - 4.25e-18", "4.25e-18"}),
        ("forward 0 -inf --log -t 2", {"log y_2"}),
        ("jacobian 2 1 0.1 -t 2", {"dy_1", "dz_3", "Jacobian ∂y_j/∂z_i, T = 2"}),
        (f"jacobian {IRIS}", {"Jacobian ∂y_j/∂z_i, the first 3 of 150 samples"}),
        (f"forward {IRIS}", {"Probabilities, the first 100 of 150 samples"}),
        (f"jacobian {PETS} --entry cat,dog", {"dy_cat/dz_dog", "blurred photo", "-0.160"}),
        (f"jacobian {PETS} --vjp 1,0,-1 --log", {"photo of a cat", "v_cat"}),
        ("jacobian 0 -inf", {"dy_2"}), ("check 1 2 3", {"worst entry", "9.6e-06"}),
        ("check 1,2,3 3,1,2 --step 0.5", {"log10(error/bound), sample 1", "dy_3"}),
        ("check 1 2 --sweep", {"← rounding grows", "truncation grows →", "step h", "1e−06"}),
    ],
)  # fmt: skip
def test_a_chart_shows_names_numbers_and_how_much_of_all(
    line: str, shown: set[str], tmp_path: Path
) -> None:
    outcome = run(*line.split(), "-o", "x.svg", cwd=tmp_path)
    assert (outcome.status in (0, 1), outcome.stdout, outcome.stderr) == (True, "", "")
    assert shown <= set(texts(tmp_path / "x.svg"))


def test_the_bars_of_many_classes_are_one_shape(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text(",".join(str(k % 7) for k in range(2000)) + "\n")
    assert run("forward", "z.csv", "-o", "x.svg", cwd=tmp_path).status == 0
    assert (tmp_path / "x.svg").read_text().count('<g id="patch_') < 10


def test_names_in_charts_are_text_that_does_nothing(tmp_path: Path) -> None:
    short = [name for name in HOSTILE if len(repr(name)) < 36]
    z = [[float(k % 5) for k in range(len(short))]] * 2
    (tmp_path / "z.json").write_text(json.dumps({"classes": short, "logits": z}))
    for suffix in BEGIN:
        assert run("forward", "z.json", "-o", f"x.{suffix}", cwd=tmp_path).stderr == ""
    shown = texts(tmp_path / "x.svg")
    assert {"y_$x$", "y_猫", "y_\\x7f\\x08", "y_a_b^c~#&", "y_&amp;&#27;"} <= set(shown)
    assert not unsafe("".join(shown))
    elements = list(ElementTree.parse(tmp_path / "x.svg").iter())
    assert not {each.tag.partition("}")[2] for each in elements} & {"script", "a", "foreignObject"}
    links = [value for each in elements for key, value in each.attrib.items() if "href" in key]
    assert all(link.startswith(("#", "data:image/png;base64,")) for link in links)
    with needs("pdftotext"):
        words = ["pdftotext", "-raw", "x.pdf", "-"]
        text = subprocess.run(words, cwd=tmp_path, capture_output=True, check=True).stdout.decode()
        text = "".join(text.split())
        assert "y_$x$" in text
        assert "y_[U+732B]" in text


def test_what_is_no_chart_is_told(tmp_path: Path) -> None:
    words = ["forward", "1", "2", "-o", "x.png"]
    error = refused(*words, cwd=tmp_path, first=without("matplotlib"))
    assert "matplotlib" in error
    assert "hint: pip install matplotlib, or use another format, such as html" in error
    error = refused("jacobian", "1", "2", "--explain", "-o", "x.pdf", cwd=tmp_path)
    assert error.startswith("error: --explain: expected the format table, markdown")
    assert list(tmp_path.iterdir()) == []


ALL = f"""
import contextlib, softmax_cli.__main__ as program
for suffix in {[*SUFFIXES]}:
    with contextlib.suppress(SystemExit):
        program.main(["jacobian", *"01234567", "-o", "again" + suffix])
"""


def test_what_is_stored_is_the_same_at_every_terminal(tmp_path: Path) -> None:
    env = {"NO_COLOR": "1", "LC_ALL": "C", "TERM": "dumb", "COLUMNS": "200", "MPLBACKEND": "x"}
    assert run_cold(cwd=tmp_path, env=env, program=[sys.executable, "-c", ALL]).status == 0
    for suffix in SUFFIXES:
        words = ["jacobian", *"01234567", "-o", str(tmp_path / f"out{suffix}")]
        assert run_in_terminal(*words, columns=20, env={"COLORTERM": "truecolor"}).status == 0
        stored = (tmp_path / f"out{suffix}").read_bytes()
        assert stored == (tmp_path / f"again{suffix}").read_bytes(), suffix
        assert stored.startswith(BEGIN.get(suffix[1:], b""))
        assert suffix not in (".txt", ".md", ".html") or re.search(rb"dz.{0,2}_7", stored)
