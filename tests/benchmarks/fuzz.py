"""Hostile input in large numbers: ``python -m tests.benchmarks.fuzz [count [seed]]``."""

import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.fuzz import case, complaint


def check(seed: int, index: int) -> tuple[str, str | None]:
    each = case(seed, index)
    found = complaint(each)
    return each.kind, found and f"\n--- {seed} {index}: {each!r:.1000}\n{found}"


def main(count: int = 10_000, seed: int = 0) -> None:
    begin, counts, wrong = time.perf_counter(), Counter[str](), Counter[str]()
    with ProcessPoolExecutor() as pool:
        for kind, found in pool.map(partial(check, seed), range(count), chunksize=50):
            counts[kind] += 1
            if found:
                wrong[kind] += 1
                print(found, flush=True)
    for kind in sorted(counts):
        print(f"{kind:12s}{counts[kind]:10,d}{wrong[kind]:8,d} wrong")
    print(f"{counts.total():,} cases in {time.perf_counter() - begin:.0f} s")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
