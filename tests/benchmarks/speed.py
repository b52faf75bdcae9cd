"""Speed of whole processes against scripts that do the same with other libraries.

``python -m tests.benchmarks.speed [rounds [KxC...]]``; the peers are numpy, scipy, json and polars.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from tests.benchmarks.measure import OURS, REQUIRED_ONLY, compare, folder, inputs, python

NUMPY = """
import sys, numpy as np; from scipy.special import softmax
np.savetxt(sys.argv[2], softmax(np.loadtxt(sys.argv[1], delimiter=","), axis=1), delimiter=",")
"""
POLARS = """
import sys, numpy as np, polars as pl
z = pl.read_csv(sys.argv[1], has_header=False).to_numpy()
e = np.exp(z - z.max(axis=1, keepdims=True))
e /= e.sum(axis=1, keepdims=True)
pl.DataFrame(e).write_csv(sys.argv[2], include_header=False)
"""
LINES = """
import sys, json, numpy as np
with open(sys.argv[1]) as lines, open(sys.argv[2], "w") as out:
    for line in lines:
        z = np.array(json.loads(line)["logits"])
        e = np.exp(z - z.max())
        out.write(json.dumps({"probabilities": (e / e.sum()).tolist()}) + "\\n")
"""
ARRAYS = """
import sys, numpy as np; from scipy.special import softmax
np.save(sys.argv[2], softmax(np.load(sys.argv[1]), axis=1))
"""
SIZES = ((500_000, 10),)


def main(rounds: int, sizes: tuple[tuple[int, int], ...]) -> None:
    with folder() as name:
        for K, C in sizes:
            path = inputs(Path(name), K, C)
            out = f"{path}.out"

            def ours(code: str, kind: str, path: Path = path, out: str = out) -> list[str]:
                return python(code, "forward", f"{path}.{kind}", "-f", kind, "-o", out)

            size = f"{K:,} x {C:,}"
            csv = f"{path}.csv"
            required = {
                "softmax-cli": ours(REQUIRED_ONLY, "csv"),
                "loadtxt, scipy, savetxt": python(NUMPY, csv, out),
            }
            compare(f"csv to csv, {size}, required packages only; at most 0.6", required, rounds)
            if find_spec("polars") is None:
                print("\npolars is not installed: the script that uses it is left out")
            else:
                fast = {
                    "softmax-cli with orjson": ours(OURS, "csv"),
                    "eager polars": python(POLARS, csv, out),
                }
                compare(f"csv to csv, {size}, with the extra; at most 1.0", fast, rounds)
            lines = {
                "softmax-cli": ours(REQUIRED_ONLY, "jsonl"),
                "softmax-cli with orjson": ours(OURS, "jsonl"),
                "json, numpy, line by line": python(LINES, f"{path}.jsonl", out),
            }
            compare(f"jsonl to jsonl, {size}; at most 0.45", lines, rounds)
            arrays = {
                "softmax-cli": ours(REQUIRED_ONLY, "npy"),
                "numpy, scipy": python(ARRAYS, f"{path}.npy", f"{path}.out.npy"),
            }
            compare(f"npy to npy, {size}; at most 0.8", arrays, rounds)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 5,
        tuple((int(K), int(C)) for K, C in (each.split("x") for each in sys.argv[2:])) or SIZES,
    )
