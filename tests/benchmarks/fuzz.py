"""Hostile input in large numbers: ``python -m tests.benchmarks.fuzz [count [seed]]``."""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.fuzz import WAYS, case, complaint


def main(count: int = 10_000, seed: int = 0) -> None:
    begin, counts, wrong = time.perf_counter(), Counter[str](), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for index in range(count):
            each, way = case(seed, index), WAYS[index % len(WAYS)]
            found = complaint(each, way, Path(folder))
            counts[each.kind] += 1
            if found is not None:
                wrong[each.kind] += 1
                print(f"\n--- {seed} {index} {way}: {each!r:.1000}\n{found}", flush=True)
    for kind in sorted(counts):
        print(f"{kind:12s}{counts[kind]:10,d}{wrong[kind]:8,d} wrong")
    print(f"{counts.total():,} cases in {time.perf_counter() - begin:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
