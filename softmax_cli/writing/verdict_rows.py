"""A verdict, or a sweep over steps, as rows and as a document."""

from collections.abc import Iterator
from typing import Any

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.result import Report

COLUMNS = (
    "sample", "passed", "max_abs_error", "max_rel_error", "max_ulp_error",
    "worst_output", "worst_input", "expected", "actual", "quantity", "problem",
)  # fmt: skip


def verdict_report(verdict: Verdict) -> Report:
    """Make a row a sample, and the JSON document."""
    return Report(COLUMNS, _rows(verdict), lambda: _document(verdict), verdict)


def _rows(verdict: Verdict) -> Iterator[list[object]]:
    for check, found in _samples(verdict):
        worst = found.get("worst", {})
        cells = {"quantity": check.quantity, **found, **worst}
        cells |= {f"worst_{end}": worst.get(end) for end in ("output", "input")}
        yield ["" if (cell := cells.get(column)) is None else cell for column in COLUMNS]


def _document(verdict: Verdict) -> dict[str, Any]:
    samples = [found for _, found in _samples(verdict)]
    check, g = verdict.decisive, verdict.upstream
    causes = [{"name": x.name, "advice": x.advice, **dict(x.numbers)} for x in check.diagnoses]
    failed = sum(not sample["passed"] for sample in samples)
    head = {"command": "check", "passed": verdict.passed, "checked": len(samples), "failed": failed}
    return head | {
        **_how(check),
        "samples": samples,
        "diagnosis": causes[0] | _given(alternatives=causes[1:]) if causes else None,
        "notes": list(verdict.notes),
        **_given(upstream=g if g is None else g.tolist(), problem=check.problem or check.unstable),
        **_given(checks=list(map(_check, verdict.checks)) if check.candidate else None),
    }


def _given(**members: Any) -> dict[str, Any]:
    """Leave out the members of which there is nothing to say."""
    return {name: value for name, value in members.items() if value}


def sweep_report(sweep: Sweep) -> Report:
    """Make a row a step, and the JSON document."""
    rows = list(zip(sweep.steps, *sweep.errors.values(), strict=True))
    best = {name: pair and {"step": pair[0], "error": pair[1]} for name, pair in sweep.best.items()}
    document = {"command": "check", "sweep": {"step": sweep.steps, **sweep.errors}, "best": best}
    return Report(("step", *sweep.errors), rows, lambda: document, sweep)


def _samples(verdict: Verdict) -> Iterator[tuple[Check, dict[str, Any]]]:
    """Tell the samples, each by the first check that it fails, or else the decisive one.

    Our own samples follow the user's.
    """
    for labels in dict.fromkeys(check.samples.labels for check in verdict.checks):
        checks = [check for check in verdict.checks if check.samples.labels == labels]
        for k in range(len(labels)):
            failed = (each for each in checks if each.problem or each.samples.failed[k])
            check = next(failed, next((each for each in checks if not each.passed), checks[-1]))
            yield check, _sample(verdict, check, k)


def _sample(verdict: Verdict, check: Check, k: int) -> dict[str, Any]:
    passed = not (check.problem or check.samples.failed[k])
    found: dict[str, Any] = {"sample": check.samples.labels[k], "passed": passed}
    if not check.problem:
        _, sample = check.samples[k]
        ends = {"output": sample.output, "input": sample.input}
        worst = {end: None if i is None else verdict.classes[i] for end, i in ends.items()}
        found |= {name: getattr(sample, name) for name in COLUMNS[2:5]}
        found["worst"] = {**worst, "expected": sample.expected, "actual": sample.actual}
    quantity = check.quantity if check.candidate else None
    return found | _given(quantity=quantity, problem=check.problem or check.unstable)


def _check(check: Check) -> dict[str, Any]:
    # JSON has text alone, and the name of a file may be other bytes.
    name = check.candidate.encode(errors="backslashreplace").decode()
    failed = len(check.samples) if check.problem else len(check.failed)
    told = {"quantity": check.quantity, "candidate": name, "passed": check.passed, "failed": failed}
    return told | _given(called=check.called) | _how(check)


def _how(check: Check) -> dict[str, Any]:
    how = {"method": check.method, "step": check.step, "atol": check.atol, "rtol": check.rtol}
    return how | _given(dtype=check.precision, log=check.log, error_estimate=check.error_estimate)
