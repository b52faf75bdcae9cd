"""The README and the help pages cannot go stale: whatever they show is run, and compared."""

import doctest
import math
import re

import pytest

from tests.program import ROOT, run_cold, run_in_terminal
from tests.readme import PAGES, README, blocks, commands, rerun

TEXTS = {page.name: page.read_text() for page in PAGES}
README_TEXT = TEXTS[README.name]

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]\d+)?(?![\w])")


def same(shown: str, printed: str) -> bool:
    """Compare to the letter, but for the last digit of numbers: processors differ there."""
    if _NUMBER.sub("#", shown).split() != _NUMBER.sub("#", printed).split():
        return False
    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(printed), strict=True)
    bounds = {"rel_tol": 1e-13, "abs_tol": 3e-16}
    return all(a == b or math.isclose(float(a), float(b), **bounds) for a, b in pairs)


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=f"{page}-{next(commands(block))}") for page, block in blocks()]
)
def test_every_command_prints_what_the_page_shows(block: str) -> None:
    printed = rerun(block)
    assert same(block, printed), printed


def test_the_comparison_of_blocks_can_fail() -> None:
    assert same("a 1.0000000000000002 b", "a 1.0 b")
    assert not same("a 1.001 b", "a 1.0 b")
    assert not same("a 1 b", "a 1 c")
    assert not same("a 1 2", "a 1")


def test_the_sweep_is_the_one_that_the_page_shows() -> None:
    """But for rounding, on the right, of which processors make different noise."""
    (block,) = re.findall(r"(?ms)^```\n(largest error.*?)^```$", TEXTS["check.md"])
    printed = run_in_terminal("check", "1", "2", "3", "--sweep", columns=80).plain
    for pair in zip(block.splitlines(), printed.splitlines(), strict=True):
        shown, found = (_NUMBER.sub("#", line)[:28].rstrip() for line in pair)
        assert shown == found, printed


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = set(re.findall(r"^```(.+)$", "\n".join(TEXTS.values()), re.MULTILINE))
    assert kinds == {"console", "python", "sh"}
    assert {page for page, _ in blocks()} >= {"README.md", "check.md", "input.md", "output.md"}


@pytest.mark.parametrize("name", [name for name, text in TEXTS.items() if ">>> " in text])
def test_the_python_examples_hold(name: str) -> None:
    (page,) = (page for page in PAGES if page.name == name)
    failed, attempted = doctest.testfile(str(page), module_relative=False)
    assert attempted >= 5
    assert failed == 0


def test_the_readme_is_read_in_a_sitting() -> None:
    assert len(README_TEXT.split()) <= 1500


def test_the_setup_and_test_commands_are_the_ones_that_ci_runs() -> None:
    shell = re.findall(r"^```sh\n(.*?)^```$", README_TEXT, re.MULTILINE | re.DOTALL)
    setup, test = (block.removesuffix("\n") for block in shell)
    assert setup.endswith("softmax-cli jacobian 1 2 3")
    assert test.endswith("pytest")
    script = str(ROOT / ".ci" / "run")
    for name, command in (("setup", setup), ("test", test)):
        assert run_cold("--print", name, program=["bash", script]).stdout == f"{command}\n"


def test_nobody_is_sent_to_the_other_project_of_that_name() -> None:
    assert not any("pip install softmax-cli" in text for text in TEXTS.values())
