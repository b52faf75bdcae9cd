"""Hostile input: a short run of what ``python -m tests.benchmarks.fuzz`` does at length."""

from pathlib import Path

import pytest

from tests.fuzz import WAYS, case, complaint

PARTS, COUNT = 4, 40


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_input_ends_in_one_line_or_in_the_right_numbers(part: int, tmp_path: Path) -> None:
    for index in range(part * COUNT, (part + 1) * COUNT):
        each = case(2026, index)
        assert complaint(each, WAYS[index % len(WAYS)], tmp_path) is None, (index, each)
