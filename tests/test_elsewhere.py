"""The recipes for more than one machine: the core in Dask, the command in GNU parallel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from softmax_cli import softmax, vjp
from tests.program import PROGRAM, ROOT, run_in_shell


def test_dask_runs_the_core_unchanged_on_a_cluster() -> None:
    """In a process of its own, which the warnings of a cluster's own start and end stay in."""
    pytest.importorskip("distributed")
    code = """
import dask.array as da, numpy as np
from dask.distributed import Client, LocalCluster
from softmax_cli import softmax, vjp

def main():
    rng = np.random.default_rng(1)
    z, g = rng.normal(0, 3, (1000, 7)), rng.normal(0, 1, (1000, 7))
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        with Client(cluster):
            logits = da.from_array(z, chunks=(300, -1))
            gradient = da.from_array(g, chunks=(300, -1))
            y = da.map_blocks(softmax, logits, dtype=float).compute()
            v = da.map_blocks(vjp, logits, gradient, dtype=float).compute()
    assert y.tobytes() == softmax(z).tobytes()
    assert v.tobytes() == vjp(z, g).tobytes()
    print("the same bits")

if __name__ == "__main__":
    main()
"""
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "the same bits\n", done.stderr


def test_the_help_shows_what_was_run() -> None:
    text = (ROOT / "softmax_cli" / "help" / "scale.md").read_text(encoding="utf-8")
    assert "da.map_blocks(softmax, logits, dtype=float)" in text
    assert "da.map_blocks(vjp, logits, gradient, dtype=float)" in text
    assert PARALLEL in text


PARALLEL = (
    "parallel --pipe --keep-order --block 10M softmax-cli forward - --no-header --jobs 1 -f csv"
)


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_parallel_splits_a_stream_among_commands(tmp_path: Path) -> None:
    z = np.random.default_rng(2).normal(0, 3, (3000, 4))
    text = "".join(",".join(map(repr, row)) + "\n" for row in z.tolist())
    program = tmp_path / "softmax-cli"
    program.write_text(f'#!/bin/sh\nexec {" ".join(PROGRAM)} "$@"\n')
    program.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = run_in_shell(PARALLEL.replace("10M", "50k"), stdin=text, env=env)
    assert np.array(done.rows).tobytes() == softmax(z).tobytes()


@pytest.mark.parametrize("step", [1, 7, 50])
def test_any_split_of_a_stream_gives_the_same_bits(step: int) -> None:
    """What all of them rely on: a sample's result does not depend on its company."""
    z = np.random.default_rng(3).normal(0, 3, (100, 33))
    g = np.random.default_rng(4).normal(0, 1, z.shape)
    parts = [slice(k, k + step) for k in range(0, 100, step)]
    assert np.concatenate([softmax(z[k]) for k in parts]).tobytes() == softmax(z).tobytes()
    assert np.concatenate([vjp(z[k], g[k]) for k in parts]).tobytes() == vjp(z, g).tobytes()
