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
    check = verdict.decisive
    return {
        "command": "check",
        "passed": verdict.passed,
        "checked": len(samples),
        "failed": sum(not sample["passed"] for sample in samples),
        **_how(check),
        "samples": samples,
        "diagnosis": _diagnosis(check) if check.diagnoses else None,
        "notes": list(verdict.notes),
        **_given("upstream", None if verdict.upstream is None else verdict.upstream.tolist()),
        **_given("problem", check.problem or check.unstable),
        **_given("checks", list(map(_check, verdict.checks)) if check.candidate else None),
    }


def _given(name: str, value: Any) -> dict[str, Any]:
    """Return a member that is left out where there is nothing to say."""
    return {name: value} if value else {}


def sweep_report(sweep: Sweep) -> Report:
    """Make a row a step, and the JSON document."""
    rows = list(zip(sweep.steps, *sweep.errors.values(), strict=True))
    best = {
        method: pair and {"step": pair[0], "error": pair[1]} for method, pair in sweep.best.items()
    }
    document = {"command": "check", "sweep": {"step": sweep.steps, **sweep.errors}, "best": best}
    return Report(("step", *sweep.errors), rows, lambda: document, sweep)


def _samples(verdict: Verdict) -> Iterator[tuple[Check, dict[str, Any]]]:
    """Tell the samples, each by the first check that it fails, or else the decisive one.

    Our own samples follow the user's.
    """
    for labels in dict.fromkeys(check.samples.labels for check in verdict.checks):
        checks = [check for check in verdict.checks if check.samples.labels == labels]
        unusable = [check for check in checks if check.problem]
        decisive = next((check for check in checks if not check.passed), checks[-1])
        for k in range(len(labels)):
            failed = unusable or [check for check in checks if check.samples.failed[k]]
            check = next(iter(failed), decisive)
            yield check, _sample(verdict, check, k)


def _sample(verdict: Verdict, check: Check, k: int) -> dict[str, Any]:
    failed = check.problem or check.samples.failed[k]
    found: dict[str, Any] = {"sample": check.samples.labels[k], "passed": not failed}
    if not check.problem:
        _, sample = check.samples[k]
        places = {"output": sample.output, "input": sample.input}
        worst: dict[str, Any]
        worst = {end: None if k is None else verdict.classes[k] for end, k in places.items()}
        worst |= {"expected": sample.expected, "actual": sample.actual}
        names = ("max_abs_error", "max_rel_error", "max_ulp_error")
        found |= {name: getattr(sample, name) for name in names} | {"worst": worst}
    quantity = check.quantity if check.candidate else None
    problem = check.problem or check.unstable
    return found | _given("quantity", quantity) | _given("problem", problem)


def _check(check: Check) -> dict[str, Any]:
    return {
        "quantity": check.quantity,
        # JSON has text alone, and the name of a file may be other bytes.
        "candidate": check.candidate.encode(errors="backslashreplace").decode(),
        "passed": check.passed,
        "failed": len(check.samples) if check.problem else len(check.failed),
        **_given("called", check.called),
        **_how(check),
    }


def _how(check: Check) -> dict[str, Any]:
    how = {"method": check.method, "step": check.step, "atol": check.atol, "rtol": check.rtol}
    how |= {"dtype": check.precision} | _given("log", check.log)
    return how | _given("error_estimate", check.error_estimate)


def _diagnosis(check: Check) -> dict[str, Any]:
    """Return the mistake that explains the failure, and what else would explain it."""
    first, *others = (
        {"name": each.name, "advice": each.advice, **dict(each.numbers)} for each in check.diagnoses
    )
    return first | _given("alternatives", others)
