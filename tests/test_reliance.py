"""What scripts rely on: the same bytes in every setting, and an exit status for every fault."""

import csv
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.writing.formats import WRITERS
from tests.program import refused, run, run_cold

CLASSES = [
    *("кот", "猫", "naïve", "عربى", "हिन्दी", "İı", "🐈‍⬛", "e\u0301"),
    *("\u202egnp", "[red]x", '"q",'),
]
G = ",".join(["1"] + ["0.5"] * (len(CLASSES) - 1))
CANDIDATE = "import numpy as np\ndef softmax(z):\n    e = np.exp(z)\n    return e / e.sum()\n"

COMMANDS = [
    *(
        [*line.split(), "-f", output_format]
        for line in (
            "forward names.csv", "forward z.parquet --log", "jacobian names.csv",
            f"jacobian names.csv --vjp {G}", "jacobian names.csv --entry 猫,кот", "check names.csv",
            "check 1 2 --step 1", "check 1 2 --probabilities mine.py:softmax", "check 1 2 --sweep",
        )
        for output_format in WRITERS
    ),
    *(["jacobian", "1", "2", "--explain", "-f", each] for each in ("table", "markdown", "latex")),
    ["jacobian", "1", "2", "--explain", "--vjp", "1,0", "-f", "json"],
    ["check", "names.csv", "--jacobian", "softmax_cli:jacobian", "-f", "json"],
    ["forward", "missing 猫.csv"],
    ["forward", "--formt", "csv", "1"],
    ["--version"],
    # Enough for several processes.
    ["forward", "many.csv", "-f", "csv"],
    ["jacobian", "many.npy", "-f", "csv"],
    ["jacobian", "many.npy", "--vjp", "many.npy", "-f", "json"],
]  # fmt: skip

IN_ONE_PROCESS = """
import os, sys
if os.environ.get("CORES") == "1" and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from softmax_cli.__main__ import main
with open("commands", encoding="utf-8") as file:
    commands = file.read().splitlines()
for command in commands:
    try:
        main(command.split("\\t"))
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            stream.buffer.write(f"\\n== {end.code}\\n".encode())
            stream.flush()
"""

SETTINGS: list[dict[str, str]] = [
    {
        "PYTHONWARNINGS": "error", "LC_ALL": "C", "COLUMNS": "20", "PYTHONHASHSEED": "1",
        "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
        "CORES": "1", "PYTHONUTF8": "1",  # or tables would be in ASCII
    },
    {
        "PYTHONDEVMODE": "1", "LC_ALL": "en_US.ISO-8859-1", "LINES": "3", "PYTHONHASHSEED": "2",
        "OMP_NUM_THREADS": "8", "OPENBLAS_NUM_THREADS": "8",
        "TZ": "Asia/Tokyo", "PYTHONCOERCECLOCALE": "0",
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reliance")
    rng = np.random.default_rng(1)
    z = rng.normal(0, 8, (5, len(CLASSES))).tolist()
    with (folder / "names.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [[f"пример {k}", *row] for k, row in enumerate(z)]
        csv.writer(file).writerows([["id", *CLASSES], *rows])
    many = rng.normal(0, 8, (28_000, 8))
    np.save(folder / "many.npy", many[:4000])
    np.savetxt(folder / "many.csv", many, delimiter=",", fmt="%.17g")
    (folder / "mine.py").write_text(CANDIDATE)
    (folder / "commands").write_text("\n".join(map("\t".join, COMMANDS)), encoding="utf-8")
    assert run("forward", "names.csv", "-o", "z.parquet", cwd=folder).status == 0
    return folder


def test_every_setting_gives_the_same_bytes_and_no_warning(folder: Path) -> None:
    plain, *others = (_all_commands(folder, changes) for changes in ({}, *SETTINGS))
    statuses = [int(part.split("\n")[0]) for part in plain[0][1:]]
    assert len(statuses) == len(COMMANDS)
    assert set(statuses) == {0, 1, 2}
    for other in others:
        for ours, theirs in zip(plain, other, strict=True):
            for words, once, again in zip([*COMMANDS, []], ours, theirs, strict=True):
                assert once == again, words


def _all_commands(folder: Path, changes: Mapping[str, str]) -> list[list[str]]:
    """Return what each command printed, and its status, on stdout and on stderr."""
    done = run_cold(cwd=folder, env=changes, program=[sys.executable, "-c", IN_ONE_PROCESS])
    assert done.status == 0, done.stderr
    return [stream.split("\n== ") for stream in (done.stdout, done.stderr)]


USAGE = [
    "--nope", "forward .", "forward 1 cell.csv", "forward 1 2 --sample 3", "forward 1 2 -o out.xyz",
    "jacobian 1 2 --vjp 1", "jacobian 1 2 --entry 1,1 --vjp 1,0", "jacobian 1 2 --explain -f csv",
    "jacobian 1 2 --vjp missing.csv", "check 1 2 -f npy", "check missing.csv -q",
    "check 1 2 --jacobian missing.csv", "check 1 2 --jacobian missing.py:f",
    "check 1 2 --jacobian boom.py:f -q", "check 1 2 --jacobian cell.csv", "check 1 2 -q --sweep",
]  # fmt: skip


@pytest.mark.parametrize("line", [*USAGE, *(f"jacobian cell.csv -f {each}" for each in WRITERS)])
def test_wrong_usage_and_bad_input_are_status_2_and_one_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "cell.csv").write_text("1,2\n1,x\n")
    (tmp_path / "boom.py").write_text("def f(z):\n    1 / 0\n")
    refused(*line.split(), cwd=tmp_path)
