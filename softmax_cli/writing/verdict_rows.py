"""A verdict, or a sweep over steps, as rows and as a document."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict, Worst
from softmax_cli.result import Report

COLUMNS = (
    "sample", "passed", "max_abs_error", "max_rel_error",
    "worst_output", "worst_input", "expected", "actual", "quantity", "problem",
)  # fmt: skip
# A sample, with a check and how it fares there; None where nothing could be compared.
Sample = tuple[str, Check, SampleCheck | None]


def verdict_report(verdict: Verdict) -> Report:
    """Make a row a sample, and the JSON document."""
    samples = list(_samples(verdict))
    rows = [_row(verdict, *each) for each in samples]
    document = _document(verdict, samples)
    return Report(COLUMNS, rows, document, verdict)


def sweep_report(sweep: Sweep) -> Report:
    """Make a row a step, and the JSON document."""
    rows = list(zip(sweep.steps, *sweep.errors.values(), strict=True))
    best = {
        method: pair and {"step": pair[0], "error": pair[1]} for method, pair in sweep.best.items()
    }
    document = {"command": "check", "sweep": {"step": sweep.steps, **sweep.errors}, "best": best}
    return Report(("step", *sweep.errors), rows, document, sweep)


def _samples(verdict: Verdict) -> Iterator[Sample]:
    """Walk the samples, each with the first check that it fails, or else the decisive one."""
    unusable = next((check for check in verdict.checks if check.problem), None)
    if unusable is not None:
        yield from ((label, unusable, None) for label in unusable.labels)
        return
    decisive = verdict.checks.index(verdict.decisive)
    for each in zip(*(check.samples for check in verdict.checks), strict=True):
        failed = (c for c, (_, sample) in enumerate(each) if not sample.passed)
        chosen = next(failed, decisive)
        label, sample = each[chosen]
        yield label, verdict.checks[chosen], sample


def _row(verdict: Verdict, label: str, check: Check, sample: SampleCheck | None) -> list[object]:
    if sample is None:
        return [label, False, *[""] * 6, check.quantity, check.problem]
    worst = sample.worst
    return [
        label, sample.passed, sample.max_abs_error, sample.max_rel_error,
        *(name or "" for name in _place(verdict, worst).values()),
        worst.expected, worst.actual, check.quantity, "",
    ]  # fmt: skip


def _place(verdict: Verdict, worst: Worst) -> dict[str, str | None]:
    positions = {"output": worst.output, "input": worst.input}
    return {end: None if k is None else verdict.classes[k] for end, k in positions.items()}


def _document(verdict: Verdict, samples: list[Sample]) -> dict[str, Any]:
    check = verdict.decisive
    document = {
        "command": "check",
        "passed": verdict.passed,
        "checked": check.n_samples,
        "failed": sum(sample is None or not sample.passed for *_, sample in samples),
        **_how(check),
        "samples": [_sample(verdict, *each) for each in samples],
        "diagnosis": _diagnosis(check),
    }
    if check.problem:
        document["problem"] = check.problem
    if check.candidate:
        document["checks"] = [_check(each) for each in verdict.checks]
    return document


def _check(check: Check) -> dict[str, Any]:
    return {
        "quantity": check.quantity,
        # JSON has text alone, and the name of a file may be other bytes.
        "candidate": check.candidate.encode(errors="backslashreplace").decode(),
        "passed": check.passed,
        "failed": check.n_samples if check.problem else len(check.failed),
        **({"called": check.called} if check.called else {}),
        **_how(check),
    }


def _how(check: Check) -> dict[str, Any]:
    how = {"method": check.method, "step": check.step, "atol": check.atol, "rtol": check.rtol}
    if check.error_estimate is not None:
        how["error_estimate"] = check.error_estimate
    return how


def _sample(
    verdict: Verdict, label: str, check: Check, sample: SampleCheck | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"sample": label, "passed": sample is not None and sample.passed}
    if sample is not None:
        found |= {
            "max_abs_error": sample.max_abs_error,
            "max_rel_error": sample.max_rel_error,
            "worst": asdict(sample.worst) | _place(verdict, sample.worst),
        }
    found |= {"quantity": check.quantity} if check.candidate else {}
    return found | ({"problem": check.problem} if check.problem else {})


def _diagnosis(check: Check) -> dict[str, Any] | None:
    """Return the mistake that explains the failure, and what else would explain it."""
    found: list[dict[str, Any]] = []
    for each in check.diagnoses:
        factor = {} if each.factor is None else {"factor": each.factor}
        found.append({"name": each.name, "advice": each.advice, **factor})
    if len(found) > 1:
        found[0]["alternatives"] = found[1:]
    return found[0] if found else None
