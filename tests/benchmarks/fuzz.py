"""Hostile input in large numbers: ``python -m tests.benchmarks.fuzz [count [seed [first]]]``."""

import sys
import time
from collections import Counter

from tests.fuzz import case, complaint, workplace


def main(count: int, seed: int, first: int) -> None:
    begin, counts, wrong = time.perf_counter(), Counter[str](), Counter[str]()
    slowest = (0.0, 0)
    with workplace():
        for index in range(first, first + count):
            each = case(seed, index)
            start = time.perf_counter()
            found = complaint(each)
            slowest = max(slowest, (time.perf_counter() - start, index))
            counts[each.kind] += 1
            if found is not None:
                wrong[each.kind] += 1
                inputs = {"<stdin>": each.stdin, **each.files}
                shown = {name: content[:400] for name, content in inputs.items() if content}
                print(
                    f"\n--- {seed} {index} ({each.kind})\n{each.words}\n{shown}\n{found}",
                    flush=True,
                )
    print(f"\n{'kind':24s}{'inputs':>10s}{'wrong':>8s}")
    for kind in sorted(counts):
        print(f"{kind:24s}{counts[kind]:10,d}{wrong[kind]:8,d}")
    print(f"{'all':24s}{counts.total():10,d}{wrong.total():8,d}")
    seconds = time.perf_counter() - begin
    print(f"{seconds:.0f} s; the slowest took {slowest[0]:.2f} s: number {slowest[1]}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    main(*given, *[100_000, 0, 0][len(given) :])
