"""Rows of a Jacobian: the same bits as the whole, for one entry and for very many classes."""

import json
import math
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmax_cli.mathematics import core
from tests.program import PROGRAM, environment, run

logit = st.floats(-800, 800) | st.just(-math.inf) | st.floats(-1e308, 1e308)


@given(
    st.integers(1, 40).flatmap(
        lambda C: st.tuples(
            st.lists(
                st.lists(logit, min_size=C, max_size=C).filter(lambda z: max(z) > -math.inf),
                min_size=1,
                max_size=4,
            ),
            st.lists(st.integers(0, C - 1), min_size=1, max_size=4),
        )
    ),
    st.sampled_from([1.0, 0.3, 7.0, 1e-300, 1e300]),
)
def test_rows_have_the_bits_of_the_whole(
    drawn: tuple[list[list[float]], list[int]], temperature: float
) -> None:
    logits, outputs = drawn
    whole = core.jacobian(logits, temperature=temperature)
    rows = core.jacobian_rows(logits, outputs, temperature=temperature)
    assert rows.tobytes() == whole[:, outputs].tobytes()
    alone = core.jacobian_rows(logits[0], slice(-1, None), temperature=temperature)
    assert alone.tobytes() == whole[0, -1:].tobytes()


@pytest.mark.parametrize("temperature", ["1", "0.5"])
def test_an_entry_has_the_bits_of_the_whole(temperature: str) -> None:
    words = ["1,2,3", "0,0,-inf", "40,0,1", "--temperature", temperature]
    whole = np.reshape(run("jacobian", *words, "-f", "csv").rows, (3, 3, 3))
    for j in range(3):
        for i in range(3):
            entry = run("jacobian", *words, "--entry", f"{j + 1},{i + 1}", "-f", "csv").rows
            assert np.ravel(entry).tobytes() == whole[:, j, i].tobytes()


@pytest.mark.parametrize("output_format", ["csv", "tsv", "json", "jsonl"])
def test_a_large_jacobian_is_written_in_parts_that_make_the_whole(output_format: str) -> None:
    z = np.random.default_rng(7).normal(0, 3, (2, 700))  # 700 x 700 are more than one part
    text = "".join(json.dumps(row) + "\n" for row in z.tolist())
    printed = run("jacobian", "-f", output_format, stdin=text).stdout
    J = core.jacobian(z)
    if output_format == "json":
        assert json.loads(printed)["jacobian"] == J.tolist()
    elif output_format == "jsonl":
        lines = [json.loads(line) for line in printed.splitlines()]
        assert lines == [
            {"sample": str(k), "jacobian": matrix} for k, matrix in enumerate(J.tolist(), start=1)
        ]
    else:
        delimiter = "\t" if output_format == "tsv" else ","
        rows = [list(map(float, line.split(delimiter))) for line in printed.splitlines()]
        assert rows == J.reshape(-1, 700).tolist()


def test_the_first_rows_of_an_enormous_jacobian_come_at_once_and_in_little_memory() -> None:
    # The whole would be 80 GB in memory, and 200 GB printed.
    count = 100_000
    text = ",".join(str(k % 9) for k in range(count)) + "\n"
    limited = 'ulimit -v 1500000; "$@" jacobian --input-format csv -f csv | head -2 | wc -c -l'
    done = subprocess.run(
        ["bash", "-c", limited, "bash", *PROGRAM],
        input=text,
        capture_output=True,
        text=True,
        env=environment({"OPENBLAS_NUM_THREADS": "1"}),
        timeout=60,
        check=True,
    )
    lines, characters = map(int, done.stdout.split())
    assert done.stderr == ""
    assert lines == 2
    assert characters > 2 * count * 10
