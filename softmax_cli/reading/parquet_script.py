"""A parquet file as rows of float64, by polars; run as a script for another process.

Stands alone, without an import from the rest of the package. Messages are lines of JSON:

    to it      {"modules": sys.path, "path": a file, or null}, and without a path the content:
               parts, each behind its size in 8 bytes, the last one empty
    from it    {"columns": [[name, kind, whether numeric], ...], "rows": K}
    to it      {"logits": [position, ...], "sample": position or null}
    from it    for each batch {"rows": n, "names": [...] or null, "null": [row, column] or null},
               and behind it the n * C numbers

In place of any answer, {"problem": "..."} is the last one.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import IO, Any

_VALUES_A_BATCH = 1 << 17


def serve(stdin: IO[bytes], stdout: IO[bytes]) -> None:
    """Read a file and answer for it, or say what is wrong with it."""
    try:
        for content in _answers(stdin):
            stdout.write(content)
            stdout.flush()
    except BaseException as error:  # panics of polars are no Exception
        first_line, *_ = str(error).strip().splitlines() or [type(error).__name__]
        stdout.write(_line({"problem": first_line}))


def _answers(stdin: IO[bytes]) -> Iterator[bytes]:
    request = json.loads(stdin.readline())
    sys.path[:] = request["modules"]
    path = request["path"]
    source = path if path is not None else _content(stdin)

    import polars as pl

    # A name is a name, even with the marks of a pattern in it.
    table = pl.scan_parquet(source, glob=False)
    schema = table.collect_schema()
    count = table.select(pl.len()).collect().item()
    columns = [
        [name, str(kind), kind.is_numeric()]
        for name, kind in zip(schema.names(), schema.dtypes(), strict=True)
    ]
    yield _line({"columns": columns, "rows": count})

    picked = json.loads(stdin.readline())
    logits, sample = picked["logits"], picked["sample"]
    table = table.select(pl.nth(*logits, *([] if sample is None else [sample])))
    step = max(1, _VALUES_A_BATCH // len(logits))
    for start in range(0, count, step):
        # Read whole, a table with other rows than its file says is seen to be damaged.
        part = (table if count <= step else table.slice(start, step)).collect()
        if len(part) != min(step, count - start):
            raise ValueError(f"the count of rows in its index, {count}, is not the one it has")
        names = None if sample is None else part.to_series(-1).to_list()
        numbers = part if sample is None else part[:, :-1]
        yield _line(
            {
                "rows": len(part),
                "names": names and ["" if name is None else str(name) for name in names],
                "null": _first_null(numbers),
            }
        )
        yield numbers.cast(pl.Float64).to_numpy(order="c").tobytes()


def _content(stdin: IO[bytes]) -> bytes:
    parts = []
    while size := int.from_bytes(stdin.read(8), sys.byteorder):
        parts.append(stdin.read(size))
    return b"".join(parts)


def _first_null(numbers: Any) -> tuple[int, int] | None:
    missing = [
        (column.is_null().arg_max(), position)
        for position, column in enumerate(numbers.iter_columns())
        if column.null_count()
    ]
    return min(missing, default=None)


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(0)  # the threads of polars have nothing left to do
