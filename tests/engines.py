"""The engines of help/scale.md over one file: ``python -m tests.engines [rows [columns]]``.

The recipes are run as the page shows them; Spark needs Java and the extra ``spark-test``. Rows,
bytes and order of what comes out are compared with what one process makes of the file.
"""

import hashlib
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from softmax_cli import softmax
from softmax_cli.fast import print_rows
from tests.program import ROOT

PAGE = (ROOT / "softmax_cli" / "help" / "scale.md").read_text(encoding="utf-8")
SPARK = """--master local[2] --driver-memory 4g --conf spark.ui.enabled=false
    --conf spark.ui.showConsoleProgress=false --conf spark.log.level=OFF pyspark-shell"""
ROWS_AT_ONCE = 100_000
ONE = "softmax-cli forward --jobs 1"


def prepare(rows: int, columns: int) -> None:
    """Write the same logits as text, as a table and as an array."""
    rng, names = np.random.default_rng(1), [f"c{j}" for j in range(columns)]
    array = np.lib.format.open_memmap("logits.npy", "w+", np.float64, (rows, columns))
    schema = pa.schema([(name, pa.float64()) for name in names])
    with open("logits.csv", "wb") as text, pq.ParquetWriter("logits.parquet", schema) as table:
        for start in range(0, rows, ROWS_AT_ONCE):
            z = rng.normal(0, 3, (min(ROWS_AT_ONCE, rows - start), columns))
            array[start : start + len(z)] = z
            text.write(print_rows(z))
            table.write_table(pa.table(list(map(pa.array, z.T)), names))


def shell(command: str) -> None:
    subprocess.run(command, shell=True, check=True)


def python(has: str) -> None:
    """Run the block of the page that has this."""
    (code,) = (each for each in re.findall(r"(?s)```python\n(.*?)```", PAGE) if has in each)
    exec(code, {"__name__": "__main__"})


def dask() -> None:
    da: Any = importlib.import_module("dask.array")  # which has types for some of it
    z = da.from_array(np.load("logits.npy", mmap_mode="r"), chunks=(ROWS_AT_ONCE, -1))
    da.to_npy_stack("y.dask", da.map_blocks(softmax, z, dtype=float))


def files(path: str) -> list[Path]:
    """Return the file, or its parts in order."""
    parts = [each for each in Path(path).glob("*") if re.match(r"part-|\d", each.name)]
    return sorted(parts, key=lambda each: (len(each.name), each.name)) or [Path(path)]


def rows_of(part: Path) -> Iterator[Any]:
    match part.suffix:
        case ".npy":
            yield from np.load(part)
        case ".parquet":
            for batch in pq.ParquetFile(part).iter_batches():
                yield from np.column_stack(batch.columns)
        case _:
            yield from part.open("rb")


def measure(engine: str, output: str, run: Callable[[], None]) -> str:
    """Run an engine, and return a digest of the rows that it made."""
    begin, digest, rows = time.perf_counter(), hashlib.sha256(), 0
    run()
    seconds = time.perf_counter() - begin
    for part in files(output):
        for row in rows_of(part):
            digest.update(row)
            rows += 1
    size = sum(part.stat().st_size for part in files(output)) / 1e6
    found = f"{rows:12,d} rows{size:10,.1f} MB  sha256 {digest.hexdigest()[:16]}"
    print(f"{engine:22s}{seconds:8.1f} s{found}", flush=True)
    return digest.hexdigest()


def refuses_a_bad_line() -> bool:
    """Add one, and tell whether Spark then fails and leaves no output."""
    with open("logits.csv", "ab") as text:
        text.write(b"1,x\n")
    shutil.rmtree("y")
    try:
        python(".pipe(")
    except Exception as error:
        return "exited with error code 2" in str(error) and not Path("y/_SUCCESS").exists()
    return False


def main(rows: int = 20_000, columns: int = 4) -> None:
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    os.environ.update(PYSPARK_PYTHON=sys.executable, PYSPARK_SUBMIT_ARGS=SPARK)
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    (parallel,) = re.findall("^ +(parallel .*)$", PAGE, re.MULTILINE)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        prepare(rows, columns)
        texts = {measure("one process, csv", "1.csv", lambda: shell(f"{ONE} logits.csv -o 1.csv"))}
        if shutil.which("parallel"):
            texts.add(measure("GNU parallel", "2.csv", lambda: shell(f"{parallel} > 2.csv")))
        texts.add(measure("Spark, pipe", "y", lambda: python(".pipe(")))
        command = f"{ONE} logits.parquet -o 1.parquet"
        tables = {measure("one process, parquet", "1.parquet", lambda: shell(command))}
        tables.add(measure("Dask", "y.dask", dask))
        tables.add(measure("Spark, mapInPandas", "y.parquet", lambda: python("mapInPandas")))
        is_right = len(texts) == len(tables) == 1 and refuses_a_bad_line()
    print("all agree, and a bad line ends in an error" if is_right else "they do NOT agree")
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
