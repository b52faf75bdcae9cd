"""Names are data: whatever a name holds, it is shown, told and written, and does nothing."""

import csv
import io
import json
import os
import re
import unicodedata
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from softmax_cli.display.notation import latex_text, typesettable
from softmax_cli.errors import InputError, quoted, visible, warn
from softmax_cli.writing.markup import escaped
from tests.program import PETS, run, run_in_terminal
from tests.typeset import compiled

HOSTILE = (
    "\x1b[31mred\x1b[2J", "\x1b]8;;http://evil\x07link\x1b]8;;\x07", "\x9b31m\x85", "\x7f\x08",
    "a\rb", "a\nb", "a\tb", "\x0b\x0c\x1c\x1d\x1e", "\u202ertl\u202c", "\u2066isolate\u2069",
    "\u200e\u200f\u061c", "zero\u200bwidth\u200c\u200d\u2060\ufeff", "\u2028\u2029",
    "\xad\xa0\u3000", "\ufe0f\ufe00", "\U000e0100", "\u3164\u115f\u1160\uffa0\u2800\u034f",
    "\U000e0041\U000e0042", "\ufffe\uffff\ue000", "[red]markup[/red]", "[link=http://evil]x[/link]",
    "<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "]]><x/>", "&amp;&#27;",
    ":smile:", "{code}", "|", "`code`", "$x$", "\\input{/etc/passwd}", "%{", "a_b^c~#&", "*", "[x]",
    "猫", "e\u0301", "👩\u200d👩",
)  # fmt: skip


def unsafe(text: str) -> set[str]:
    """Return what a terminal would obey, or nobody would see, besides line ends."""
    unseen = "\u034f\u115f\u1160\u2800\u3164\uffa0"
    return {
        c
        for c in text
        if c != "\n" and (not c.isprintable() or c in unseen or "\ufe00" <= c <= "\ufe0f")
    }


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("names")
    n = len(HOSTILE)
    rows = [[float(i * k % 5) for i in range(n)] for k in range(1, 4)]
    names = {"classes": HOSTILE, "samples": HOSTILE[:3]}
    (folder / "many.json").write_text(json.dumps({**names, "logits": rows}))
    one = {"classes": HOSTILE, "samples": HOSTILE[:1], "logits": rows[:1]}
    (folder / "one.json").write_text(json.dumps(one))
    (folder / "wrong.json").write_text(json.dumps({**names, "jacobian": [[[0.1] * n] * n] * 3}))
    (folder / f"{HOSTILE[0]}\u202e.py").write_text(
        "import numpy as np\n"
        "def raises(z):\n    raise ValueError('\\x1b[31m\\u202e\\nboom')\n"
        "def exp(z):\n    return np.exp(z)\n"
    )
    return folder


CODE = f"{HOSTILE[0]}\u202e.py"
VIEWS = [
    ["forward", "many.json"], ["forward", "one.json", "--log"], ["jacobian", "one.json"],
    ["jacobian", "many.json", "--entry", f"{HOSTILE[1]},2"],
    ["jacobian", "one.json", "--vjp", ",".join("1" * len(HOSTILE))],
    ["jacobian", "one.json", "--explain", "--entry", "2,24"],
    ["check", "many.json", "--jacobian", "wrong.json"],
    ["check", "many.json", "--probabilities", f"{CODE}:exp"],
]  # fmt: skip


@pytest.mark.parametrize(
    "words", VIEWS, ids=lambda words: " ".join(words[:3:2]).translate({27: ""})
)
def test_names_are_shown_escaped_by_every_view_in_every_place(
    hostile: Path, tmp_path: Path, words: list[str]
) -> None:
    shown = run(*words, cwd=hostile)
    assert shown.status in (0, 1)
    assert unsafe(shown.stdout + shown.stderr) == set()
    assert r"\x1b[31mred\x1b[2J" in shown.stdout
    path = tmp_path / "picture.html"
    assert run(*words, "-o", str(path), cwd=hostile).stderr == ""
    text, parts = html_parts(path.read_text())
    assert unsafe(text) <= {"\xa0"}
    assert not parts


def html_parts(content: str) -> tuple[str, set[str]]:
    """Return the text of a page, and elements and attributes that could do more than be seen."""
    text: list[str] = []
    active: set[str] = set()

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            known = {"href", "src", "style", "action"}
            active.update(key for key, _ in attrs if key in known or key.startswith("on"))
            active.update({tag} & {"img", "iframe", "object", "embed", "link", "base", "form", "x"})

        def handle_data(self, data: str) -> None:
            text.append("" if self.cdata_elem else data)

    Parser().feed(content)
    return "".join(text).replace("\u2062", "").replace("\xa0", " "), active


@pytest.mark.parametrize("output_format", ["markdown", "latex"])
def test_markdown_and_latex_hold_names_as_text(hostile: Path, output_format: str) -> None:
    for words in (VIEWS[0], VIEWS[5], VIEWS[6]):
        printed = run(*words, "-f", output_format, cwd=hostile).stdout
        assert unsafe(printed) == set()
        assert not re.search(r"(?<!\\)<", printed)
        assert not re.search(r"(?<!\\)\\input", printed)
        if output_format == "markdown" and words[0] == "forward":
            rows = [re.sub(r"\\.", "", line) for line in printed.splitlines()]
            assert {row.count("|") for row in rows} == {len(HOSTILE) + 2}


def test_a_name_in_latex_is_typeset_and_runs_nothing(tmp_path: Path) -> None:
    latex = ("\\\\[1cm]", "}", "{", "^^5cinput", "--", "²", "\\write18{ls}", "%\n\\x", "fjord")
    names = [*HOSTILE, *latex]
    shown = compiled([rf"\noindent {latex_text(name)}" for name in names], tmp_path)
    assert "[U+732B]" in shown
    # The old fonts have other quotes and accents, and a line for an underscore.
    for name in names:
        letters = re.sub(r"[\s'`\"^~_]", "", typesettable(name))
        assert letters in re.sub("[\u2018\u2019\u201c\u201d\u02c6\u02dc]", "", shown), name


LINKS = (
    "http://evil.com", "see https://x.org/a_b?c=d", "www.evil.com", "me@example.com", "evil.com",
    "//evil.com", "mailto:me@x.org", "ftp://x.y", "photo.py", "1.5", "a.b.c", "<http://x.y>",
)  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE, *LINKS])
def test_a_name_in_markdown_is_text(name: str) -> None:
    shown = escaped(name)
    assert "\n" not in shown
    markdown = MarkdownIt("gfm-like")
    for document in (f"| {shown} |\n| --- |\n| {shown} |\n", f"**sample {shown}**\n"):
        tokens = [each for token in markdown.parse(document) for each in token.children or ()]
        kinds = {each.type for each in tokens}
        assert kinds <= {"text", "strong_open", "strong_close", "html_inline"}, kinds
        text = "".join(each.content for each in tokens if each.content != "<!-- -->")
        assert visible(name).strip() in text


@pytest.mark.parametrize("words", [["--explain"], ["--explain", "--entry", "2,1"]])
def test_markdown_finds_no_markup_within_mathematics(words: list[str], hostile: Path) -> None:
    for path in ("one.json", PETS):
        printed = run("jacobian", path, *words, "-f", "markdown", cwd=hostile).stdout
        for token in MarkdownIt("gfm-like").parse(printed):
            kinds = {each.type for each in token.children or ()}
            assert not kinds & {"em_open", "code_inline", "link_open", "html_inline", "s_open"}


def test_every_error_and_warning_is_a_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (*HOSTILE, "\udcff\udc80"):
        error = InputError(name, f"found {name}, expected {quoted(name)}", f"did you mean {name}?")
        warn(name, name)
        told = f"{error}\n{capsys.readouterr().err}"
        assert told.count("\n") == 3
        assert unsafe(told) == set()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["forward", "no\x1b[31m\u202e"], r"no\x1b[31m\u202e: no such file"),
        (["forward", b"\xff.csv"], r"\udcff.csv: no such file"),
        (["forward", b"\xff\xfe.csv", "-f", "csv"], r"\udcff\udcfe.csv:2:2: expected a number"),
        (["forward", "1", "2", "-o", b"\xff\x1b"], r"found '\udcff\x1b"),
        (["forward", "1", "2", "-o", b"no/\xff\x1b.csv"], r"no/\udcff\x1b.csv: cannot be written"),
        (["forward", "1", "2", "--sample", b"\xff\n"], r"found '\udcff\n'"),
        (["jacobian", "many.json", "--entry", "\x1b[31mred,1"], r"did you mean \x1b[31mred"),
        (["forward", "1", "--\x1b\u202e"], r"'--\x1b\u202e': no such option"),
        (["\x1b\u202e"], r"no such command '\x1b\u202e'"),
        (["forward", "1", "2", "-f", "\u3164"], r"found '\u3164'"),
        (["check", "many.json", "--jacobian", b"\xff\x1b"], r"\udcff\x1b: no such file"),
        (["check", "many.json", "--probabilities", f"{CODE}:no"], r"no 'no' in \x1b[31mred\x1b[2J"),
        (["check", "many.json", "--probabilities", f"{CODE}:raises"], r"Error: \x1b[31m\u202e\n"),
    ],
)  # fmt: skip
def test_what_is_quoted_is_escaped(hostile: Path, words: Sequence[str | bytes], told: str) -> None:
    (hostile / os.fsdecode(b"\xff\xfe.csv")).write_text("1,2\n3,x\n")
    outcome = run(*map(os.fsdecode, words), cwd=hostile)
    assert outcome.status in (2, 3)
    assert told in outcome.stderr
    assert unsafe(outcome.stderr) == set()
    assert outcome.stdout == ""


def test_a_file_of_any_name_is_written_and_read(tmp_path: Path) -> None:
    for name in (b"\xff\x1b\n.csv", "猫\u202e.csv".encode()):
        path = os.fsdecode(name)
        assert run("forward", "3", "3", "-o", path, cwd=tmp_path).stderr == ""
        assert (tmp_path / path).read_text() == "0.5,0.5\n"
        assert run("forward", path, "-f", "csv", cwd=tmp_path).stdout == "0.5,0.5\n"


AWKWARD = (
    *HOSTILE, "a,b", 'q"q', '"all"', ' "x"', " lead", "trail ", "cr\r\nlf", "\r", "\n",
    "semi;colon", "'", "#", "=1+1", "\ufeffmark", "NA", "1,5", "\\", "two\n\nlines", "-",
)  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", "\t"])
@pytest.mark.parametrize("first", ["plain", '"quoted"', " lead", "\rx"])
def test_names_in_csv_are_read_back_the_same(delimiter: str, first: str, tmp_path: Path) -> None:
    samples = [f"{name} " for name in AWKWARD]
    classes = [first, *(name for name in AWKWARD if name != first)]
    rows = [[float(j * k % 7) for j in range(len(classes))] for k in range(len(samples))]
    path = tmp_path / ("y.csv" if delimiter == "," else "y.tsv")
    for named in ({"samples": samples}, {}):
        text = json.dumps({"classes": classes, **named, "logits": rows})
        assert run("forward", "-o", str(path), stdin=text).stderr == ""
        file = io.StringIO(path.read_bytes().decode(), newline="")
        header, *body = csv.reader(file, delimiter=delimiter, strict=True)
        assert header == [*(["sample"] if named else []), *classes]
        assert not named or [row[0] for row in body] == samples
        again = run("forward", str(path), "-f", "json").json
        assert again["classes"] == classes
        assert not named or again["samples"] == samples


def test_names_and_the_name_of_a_candidate_are_text_in_json(hostile: Path) -> None:
    for output_format in ("json", "jsonl"):
        printed = run("forward", "many.json", "-f", output_format, cwd=hostile).stdout
        documents = [json.loads(line) for line in printed.split("\n")[:-1]]
        names = [name for each in documents for name in each.get("samples", [each.get("sample")])]
        assert tuple(names) == HOSTILE[:3]
        assert tuple(documents[0].get("classes", HOSTILE)) == HOSTILE
    path = os.fsdecode(b"mine\xff\x1b.csv")
    (hostile / path).write_text("0.5,0.5\n")
    outcome = run("check", "1,1", "--probabilities", path, "-f", "json", cwd=hostile)
    assert outcome.json["checks"][0]["candidate"] == "mine\\udcff\x1b.csv"


def test_columns_of_one_name_are_not_lost_in_parquet(tmp_path: Path) -> None:
    for command, text, name in (
        ("forward", '{"logits":[[1,2]],"classes":["a","a"]}', "a"),
        ("forward", '{"logits":[[1,2]],"classes":["a","sample"],"samples":["x"]}', "sample"),
        ("jacobian", '{"logits":[[1,2]],"classes":["a","output"]}', "output"),
    ):
        outcome = run(command, "-o", str(tmp_path / "x.parquet"), stdin=text)
        assert outcome.status == 2
        problem = f"expected columns of different names, found '{name}' twice"
        assert f"error: --format: {problem}\n" in outcome.stderr
        assert list(tmp_path.iterdir()) == []


SCRIPTS = (
    "cat", "猫", "長い名前です", "한국어", "\u1112\u1161\u11ab", "кошка", "γάτα", "قطة", "חתול",
    "แมว", "กำ็", "e\u0301e\u0301", "Z\u0351\u036ba", "\uff46\uff55\uff4c\uff4c", "ﾊﾝｶｸ", "👍", "🐈",
    "👩\u200d🔬", "❤\ufe0f", "1\ufe0f\u20e3", "zero\u200bwidth", "½", "—",
    "\U0001d518", "\U00020000",
)  # fmt: skip


def width(text: str) -> int:
    """Count columns by Unicode's own properties, as wcwidth does."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me") or "\u1160" <= c <= "\u11ff"
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


@pytest.mark.parametrize("columns", [None, 100, 60])
@pytest.mark.parametrize("option", [[], ["--vjp", ",".join("1" * len(SCRIPTS))]])
def test_names_in_any_script_keep_the_columns_in_line(
    columns: int | None, option: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "z.json"
    path.write_text(json.dumps({"classes": SCRIPTS, "logits": [list(range(len(SCRIPTS)))]}))
    words = ["jacobian", str(path), *option]
    if columns is None:
        shown = run(*words).stdout
    else:
        shown = run_in_terminal(*words, columns=columns, env={"TERM": "dumb"}).stdout
    table = shown.partition("─\n")[2].partition("\n\n")[0].splitlines()[: len(SCRIPTS)]
    assert len(table) == len(SCRIPTS)
    assert len({width(line) for line in table}) == 1
