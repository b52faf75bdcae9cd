"""Whole screens, compared with stored ones; ``--snapshot-update`` stores new ones to look at.

The logits are chosen so that no digit shown depends on the last digit of a processor's exp.
"""

from importlib.metadata import version

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.program import SAMPLES, run, run_in_terminal

RICH = tuple(map(int, version("rich").split(".")[:2]))
pytestmark = pytest.mark.skipif(RICH < (14, 3), reason="Rich 14.3 draws shorter rules than before")
EVEN = "0,0,0,0,-inf"
SCREENS = {
    "forward": ["forward", "2", "1", "0.1"], "forward-log": ["forward", "2", "1", "-inf", "--log"],
    "forward-batch": ["forward", str(SAMPLES / "iris_logits.csv")],
    "jacobian": ["jacobian", EVEN], "explain": ["jacobian", EVEN, "--explain"],
    "vjp": ["jacobian", EVEN, "--vjp", "1,0,0,0,0"],
    "check": ["check", "1", "2", "3", "--step", "0.5"],
}  # fmt: skip
KINDS = {
    "colour": {"COLORTERM": "truecolor"}, "256-colours": {}, "sixteen-colours": {"TERM": "xterm"},
    "no-color": {"NO_COLOR": "1"}, "dumb": {"TERM": "dumb"},
    "ascii": {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"},
}  # fmt: skip


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.parametrize("name", SCREENS)
def test_each_width_is_readable(name: str, columns: int, snapshot: SnapshotAssertion) -> None:
    shown = run_in_terminal(*SCREENS[name], columns=columns, env=KINDS["no-color"]).stdout
    assert all(len(line) <= columns for line in shown.splitlines())
    assert shown == snapshot


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["forward-batch", "jacobian", "check"])
def test_each_kind_of_terminal_is_readable(
    name: str, kind: str, snapshot: SnapshotAssertion
) -> None:
    outcome = run_in_terminal(*SCREENS[name], env=KINDS[kind])
    assert ("\x1b" in outcome.stdout) == kind.endswith(("colour", "colours"))
    assert kind != "ascii" or outcome.stdout.isascii()
    assert outcome.stdout == snapshot


@pytest.mark.parametrize("name", SCREENS)
def test_a_pipe_is_readable(name: str, snapshot: SnapshotAssertion) -> None:
    assert run(*SCREENS[name]).stdout == snapshot
