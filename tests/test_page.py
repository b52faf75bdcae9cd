"""The page that -o FILE.html writes: what it shows, moves and allows, in a real browser."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from softmax_cli import jacobian, softmax
from softmax_cli.errors import visible
from tests.browser import Browser, axe, start
from tests.program import PETS, SAMPLES, run

DIGITS = str(SAMPLES / "digits_five.json")
HOSTILE = ("<script>hit=1</script>", '"onload="hit=1', "]]><img src=x>", "\u202ertl", "&amp;")
WRONG = str(SAMPLES / "candidates" / "jacobian_wrong_sign.csv")
PAGES = {
    "three": ["jacobian", "2", "1", "0.1"],
    "explain": ["jacobian", PETS, "--explain", "--sample", "2"],
    "log": ["jacobian", "2", "1", "0.1", "--log", "-t", "0.5", "--entry", "2,1"],
    "ten": ["jacobian", DIGITS, "--sample", "1"], "batch": ["jacobian", PETS],
    "names": ["jacobian", "names.json"], "forward": ["forward", PETS],
    "vjp": ["jacobian", PETS, "--vjp", "1,0,0"], "pass": ["check", "1", "2", "3"],
    "check": ["check", DIGITS, "--jacobian", WRONG],
    "sweep": ["check", "1", "2", "3", "--sweep"],
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    names = {"classes": HOSTILE, "logits": [[1, 2, 3, 4, 5]]}
    (folder / "names.json").write_text(json.dumps(names))
    for name, words in PAGES.items():
        outcome = run(*words, "-o", f"{name}.html", cwd=folder)
        assert (outcome.status, outcome.stdout, outcome.stderr) == (int(name == "check"), "", "")
    return folder


def text_of(page: str) -> str:
    """Return a page's text, without its script and style."""
    text: list[str] = []

    class Parser(HTMLParser):
        def handle_data(self, data: str) -> None:
            if self.cdata_elem is None:
                text.append(data)

    Parser().feed(page)
    return "".join(text).replace("−", "-").replace("\u2062", "")


def test_a_page_holds_all_it_shows_and_allows_nothing_else(folder: Path) -> None:
    for name in PAGES:
        content = (folder / f"{name}.html").read_text()
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', content)
        assert policy
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-\S{44}'; script-src 'sha256-\S{44}'; "
            r"base-uri 'none'; form-action 'none'",
            policy[1],
        )
        assert '<html lang="en">' in content
        assert len(content.encode()) < 100_000
        plain = re.sub("(?s)<script>.*", "", content)
        assert not re.search(r"<[^>]+ (style|on\w+|src|href)=", plain)
        assert not re.search(r"url\(|@import|fetch\(|XMLHttp|innerHTML|eval\(", content)
        assert re.search("<title>[^<]{10,}</title>", content)
        assert content.count("<h1>") == 1


@pytest.mark.parametrize(
    "line",
    [
        f"forward {PETS}", "forward 40 0 1 --log", "jacobian 2 1 0.1", f"jacobian {PETS} --log",
        "jacobian 40 0 1 -p 17", f"jacobian {PETS} --entry cat,dog", f"jacobian {PETS} --vjp 1,0,0",
    ],
)  # fmt: skip
def test_without_a_script_a_page_has_the_numbers_of_the_command(line: str, tmp_path: Path) -> None:
    run(*line.split(), "-o", str(tmp_path / "x.html"))
    shown = text_of((tmp_path / "x.html").read_text())
    numbers = re.findall(r"(?<=\| )-?\d[^|]*(?= \|)", run(*line.split(), "-f", "markdown").stdout)
    assert len(numbers) >= 3
    assert [each for each in numbers if each not in shown] == []


def test_without_a_script_the_derivation_is_that_of_the_command(folder: Path) -> None:
    shown = re.sub(r"\s", "", text_of((folder / "explain.html").read_text()))
    told = run(*PAGES["explain"]).stdout
    for title in re.findall(r"^\d\. (.*)$", told, re.MULTILINE):
        assert title.replace(" ", "") in shown
    for number in re.findall(r"= (-?[\d.]+)$", told, re.MULTILINE):
        assert f"={number}" in shown


def test_many_samples_and_classes_are_cut_and_counted(tmp_path: Path) -> None:
    for words, told in (
        (["forward", *["1,2"] * 70], "50 samples left out (11 to 60)"),
        (["forward", *map(str, range(30))], "10 classes left out (10 to 1)"),
        (["jacobian", *map(str, range(60))], "40 inputs left out (11 to 50)"),
    ):
        run(*words, "-o", str(tmp_path / "x.html"))
        assert told in (tmp_path / "x.html").read_text()


def test_a_check_tells_its_verdict_place_cause_and_notes(folder: Path) -> None:
    for name, words in PAGES.items():
        if words[0] == "check" and name != "sweep":
            shown = re.sub(r"\s+", "", text_of((folder / f"{name}.html").read_text()))
            for line in run(*words).stdout.splitlines():
                told = re.sub(r"\s+", "", line)
                assert told in shown or set(told) <= {"─"}


def test_a_failed_check_names_its_cause_first_and_frames_the_worst(folder: Path) -> None:
    content = (folder / "check.html").read_text()
    assert content.index("cause:") < content.index("<bdi>worst entry</bdi>")
    assert set(re.findall(r'<td class="p8 worst">(.*?)<', content)) == {"2.0e+09"}
    assert len(set(re.findall(r'<td class="(p\d)', content))) == 8


def test_a_forward_page_names_the_largest_apart_from_its_number(tmp_path: Path) -> None:
    run("forward", "40", "0", "1", "-o", str(tmp_path / "x.html"))
    assert "largest: class 1, 1\xa0-\xa01.58e-17" in text_of((tmp_path / "x.html").read_text())


def test_a_sweep_draws_each_method_on_logarithmic_scales(folder: Path) -> None:
    content = (folder / "sweep.html").read_text()
    lines = re.findall(r'<polyline class="\w+" points="([^"]+)"', content)
    assert len(lines) == 3
    for line in lines:
        points = [tuple(map(float, pair.split(","))) for pair in line.split()]
        assert len(points) == 29
        assert all(0 <= x <= 450 and 0 <= y <= 364 for x, y in points)
    assert all(f">{word}</text>" in content for word in ("forward", "central", "complex-step"))


READ = """
const all = (pattern, read) => [...document.querySelectorAll(pattern)].map(read);
const texts = (pattern) => all(pattern, (each) => each.textContent);
const values = (pattern) => all(pattern, (each) => Number(each.dataset.x));
return {y: texts(".y"), J: texts(".matrix td[class]:not(.sum)"), names: texts("bdi, [data-n]"),
  sums: texts(".sum"), exact_y: values(".y"), exact_J: values(".matrix td[class]:not(.sum)"),
  chosen: texts(".chosen"), shown: all("[data-v]", (each) => each.textContent),
  hash: location.hash, hit: window.hit ?? 0,
  forms: [...document.getElementById("live").classList]};
"""
STATES: tuple[tuple[Sequence[float], float, Sequence[int]], ...] = (
    ((2, 1, 0.1), 1, ()), ((40, 0, 1), 1, ()), ((-3, 2.5, 7), 0.25, ()), ((1, 2, 3), 3, (2,)),
    ((0, 0, 0), 1, ()), ((30.5, 31, 0), 1, (3,)), ((-800, 0.1, -0.2), 1, ()), ((12, 1, 3), 1, ()),
    ((2000, 0, 1), 1, ()), ((-5e4, 0, 3), 1, ()), ((2e5, -2e5, 0), 1, ()), ((5, 6, 7), 1, (1, 3)),
)  # fmt: skip


DRAWN = "await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));"
MOVE = f"""
const moved = new Promise((done) => addEventListener("hashchange", done, {{once: true}}));
location.hash = "%s"; await moved; {DRAWN}
"""


def address(z: Sequence[float], T: float = 1, mask: Sequence[int] = (), entry: str = "1,1") -> str:
    return f"#z={','.join(map(repr, z))}&T={T!r}&mask={','.join(map(str, mask))}&entry={entry}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def still(page: str) -> dict[str, list[str]]:
    """Read from the source of a page what READ reads in a browser."""
    patterns = {
        "y": r'<span class="y">(.*?)<',
        "J": r'<td class="(?:[pn]\d)?">(.*?)<',
        "shown": r"<(?:mn|b) data-v[^>]*>(.*?)<",
    }
    return {key: list(map(unescape, re.findall(each, page))) for key, each in patterns.items()}


@pytest.mark.parametrize("log", [[], ["--log"]])
def test_the_script_shows_what_the_command_shows_and_agrees_with_the_core(
    log: list[str], folder: Path, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "x.html"
    browser.open(folder / ("log.html" if log else "three.html"))
    for z, T, mask in STATES:
        words = ["-inf" if c + 1 in mask else repr(x) for c, x in enumerate(z)]
        run("jacobian", *words, *log, "-t", repr(T), "-o", str(path), "--entry", "2,1")
        command = still(path.read_text())
        moved = browser.run(MOVE % address(z, T, mask, "2,1") + READ)
        assert {key: moved[key] for key in command} == command
        forms = re.search(r'id="live" class="([^"]*)"', path.read_text())
        assert forms
        assert set(forms[1].split()) == set(moved["forms"])
        exact = [float(word) for word in words]
        assert all(text != "0" for text, x in zip(moved["y"], exact, strict=True) if x > -math.inf)
        assert moved["y"].count("1") == (len(mask) == 2)
        tiny = 1e-300
        np.testing.assert_allclose(moved["exact_y"], softmax(exact, temperature=T), 1e-12, tiny)
        J = jacobian(exact, temperature=T, log=bool(log)).ravel()
        np.testing.assert_allclose(moved["exact_J"], J, 1e-12, tiny)


def test_a_page_opens_at_its_address_and_resets(folder: Path, browser: Browser) -> None:
    browser.open(folder / "three.html")
    begun = browser.run(READ)
    assert begun["hash"] == ""
    written = (folder / "three.html").read_text()
    assert begun["y"] == still(written)["y"]
    assert begun["sums"] == re.findall('<td class="sum">(.*?)<', written)
    browser.open(folder / "three.html", address((3, 2, 1), 2, (3,), "2,1"))
    opened = browser.run(READ)
    assert opened["y"] == ["0.622459", "0.377541", "0"]
    assert all("−0.117502" in each for each in opened["chosen"][-1:])
    browser.run("document.getElementById('reset').click();" + DRAWN)
    assert browser.run(READ)["sums"] == begun["sums"]
    for wrong in ("#z=1,2", "#z=a,b,c&T=-1&entry=9,9", "#mask=1,2,3", "#%", "#z=NaN,1,2&T=inf"):
        browser.open(folder / "three.html", wrong)
        assert browser.run(READ)["J"] == begun["J"]


def test_sliders_fields_masks_clicks_and_keys_move_the_page(folder: Path, browser: Browser) -> None:
    browser.open(folder / "three.html")
    begin = """
const set = (input, value) => { input.value = value; input.dispatchEvent(new Event("input")); };
const [number, range, mask] = document.querySelector("li.class").querySelectorAll("input");
const [T] = document.querySelectorAll("#temperature input");
"""
    assert browser.run(f"{begin} set(range, 3);{DRAWN}{READ}")["y"] == softly(3, 1, 0.1)
    assert browser.run(f"{begin} set(number, '-2.5');{DRAWN}{READ}")["y"] == softly(-2.5, 1, 0.1)
    assert browser.run(f"{begin} set(T, '0.5');{DRAWN}{READ}")["y"] == softly(-5, 2, 0.2)
    assert browser.run(f"{begin} set(T, '-1');{DRAWN}{READ}")["y"] == softly(-5, 2, 0.2)
    for field, wrong, told in (("T", "-1", "above 0"), ("number", "", "a number")):
        focus = f"{field}.focus(); set({field}, '{wrong}'); {field}.blur();{DRAWN}"
        field = f"return [document.getElementById('told').textContent, {field}.value];"
        message, kept = browser.run(f"{begin}{focus}{field}")
        assert told in message
        assert kept in ("0.5", "-2.5")
    assert browser.run(f"{begin} mask.click();{DRAWN}{READ}")["y"] == ["0", *softly(2, 0.2)]
    # Not all classes may be masked.
    masks = "document.querySelectorAll('[type=checkbox]:not(:checked)').forEach((x) => x.click());"
    assert "1" in browser.run(f"{masks}{DRAWN}{READ}")["y"]
    cell = "const cell = (j, i) => document.querySelectorAll('.matrix tbody tr')[j].cells[i + 1];"
    browser.open(folder / "three.html")
    found = browser.run(f"{cell} cell(2, 1).click();{DRAWN}{READ}")
    assert "−0.0238956" in found["chosen"][-1]
    assert "−0.0985659·0.242433" in found["chosen"][0]
    for key in ("ArrowUp", "ArrowLeft", "Enter"):
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            browser.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)
    assert "−0.159764" in browser.run(f"{cell}{DRAWN}{READ}")["chosen"][-1]
    assert browser.run(f"{cell} return document.activeElement === cell(1, 0);")
    browser.run("await new Promise((done) => setTimeout(done, 400));")
    assert browser.run(READ)["hash"] == "#z=2,1,0.1&T=1&mask=&entry=2,1"


def softly(*z: float) -> list[str]:
    return [f"{y:#.6g}" for y in softmax(z)]


def test_names_are_text_in_a_browser(folder: Path, browser: Browser) -> None:
    browser.open(folder / "names.html", address((5, 4, 3, 2, 1), entry="2,1"))
    found = browser.run(READ)
    assert found["hit"] == 0
    assert {visible(name) for name in HOSTILE} <= set(found["names"])
    assert browser.run("return document.images.length + document.scripts.length;") == 1


@pytest.mark.parametrize("name", ["log", "batch", "names", "forward", "check", "sweep"])
def test_everybody_can_use_a_page(name: str, folder: Path, browser: Browser) -> None:
    browser.call("Page.setBypassCSP", enabled=True)
    width, scheme = (390, "dark") if name in ("log", "check") else (1280, "light")
    browser.open(folder / f"{name}.html", "", width, scheme)
    found = browser.run(f"{axe()}; return (await axe.run()).violations;")
    browser.call("Page.setBypassCSP", enabled=False)
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], each["nodes"][0]["html"]) for each in serious] == []


def test_on_a_phone_no_page_moves_sideways(folder: Path, browser: Browser) -> None:
    for name in PAGES:
        browser.open(folder / f"{name}.html", width=390)
        assert browser.run("return document.documentElement.scrollWidth;") <= 390, name


COLOURS = """
const box = document.createElement("div");
document.querySelector("main").append(box);
const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
const rgb = (colour) => {
  canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
  return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
};
const step = (name) => { box.className = name; return rgb(getComputedStyle(box).backgroundColor); };
const variable = (name) => rgb(getComputedStyle(document.documentElement).getPropertyValue(name));
const paper = variable("--paper"), ink = variable("--ink");
const found = {text: [[ink, paper], [ink, variable("--panel")]], marks: []};
for (const name of ["quiet", "good", "bad"]) found.text.push([variable("--" + name), paper]);
found.text.push([[255, 255, 255], variable("--over")], [variable("--quiet"), variable("--panel")]);
for (const sign of "pn") for (let k = 1; k <= 8; k++) found.text.push([ink, step(sign + k)]);
for (const name of ["mark", "start", "first", "second", "third"]) {
  found.marks.push([variable("--" + name), paper], [variable("--" + name), variable("--panel")]);
}
found.steps = new Set(found.text.map(String)).size;
return found;
"""


def contrast(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the ratio of relative luminances, as WCAG 2 defines it."""

    def luminance(colour: Sequence[int]) -> float:
        shares = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in shares]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_step_of_both_scales_can_be_read(scheme: str, folder: Path, browser: Browser) -> None:
    browser.open(folder / "three.html", scheme=scheme)
    found = browser.run(COLOURS)
    assert found["steps"] >= 20
    assert min(contrast(*pair) for pair in found["text"]) >= 4.5
    assert min(contrast(*pair) for pair in found["marks"]) >= 3
