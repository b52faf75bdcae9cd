"""The README cannot go stale: whatever it shows is run, and compared."""

import doctest
import math
import re
import subprocess

import pytest

from tests.program import ROOT
from tests.readme import README, blocks, commands, rerun

TEXT = README.read_text(encoding="utf-8")


_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]\d+)?(?![\w])")


def same(shown: str, printed: str) -> bool:
    """Compare to the letter, but for the last digit of numbers: processors differ there."""
    if _NUMBER.sub("#", shown).split() != _NUMBER.sub("#", printed).split():
        return False
    pairs = zip(_NUMBER.findall(shown), _NUMBER.findall(printed), strict=True)
    return all(
        a == b or math.isclose(float(a), float(b), rel_tol=1e-13, abs_tol=3e-16) for a, b in pairs
    )


@pytest.mark.parametrize("block", blocks(), ids=lambda block: next(commands(block)))
def test_every_command_prints_what_the_readme_shows(block: str) -> None:
    printed = rerun(block)
    assert same(block, printed), printed


def test_the_comparison_of_blocks_can_fail() -> None:
    assert same("a 1.0000000000000002 b", "a 1.0 b")
    assert not same("a 1.001 b", "a 1.0 b")
    assert not same("a 1 b", "a 1 c")
    assert not same("a 1 2", "a 1")


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    assert set(re.findall(r"^```(.+)$", TEXT, re.MULTILINE)) == {"console", "python", "sh"}
    assert blocks()


def test_the_python_examples_hold() -> None:
    failed, attempted = doctest.testfile(str(README), module_relative=False)
    assert attempted >= 5
    assert failed == 0


def test_the_setup_and_test_commands_are_the_ones_that_ci_runs() -> None:
    shell = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    setup, test = (block.removesuffix("\n") for block in shell)
    assert setup.endswith("softmax-cli jacobian 1 2 3")
    assert test.endswith("pytest")
    script = ROOT / ".ci" / "run"
    for name, command in (("setup", setup), ("test", test)):
        shown = subprocess.run(
            ["bash", script, "--print", name], capture_output=True, text=True, check=True
        )
        assert shown.stdout == f"{command}\n"


def test_nobody_is_sent_to_the_other_project_of_that_name() -> None:
    assert "pip install softmax-cli" not in TEXT
