"""A verdict as rows and as a document."""

from collections.abc import Iterator
from typing import Any

from softmax_cli.checking.verdict import Check, SampleCheck, Verdict
from softmax_cli.result import Report

COLUMNS = (
    "sample", "passed", "max_abs_error", "max_rel_error",
    "worst_output", "worst_input", "expected", "actual", "quantity", "problem",
)  # fmt: skip


def report(verdict: Verdict) -> Report:
    """Make a row a sample, and the JSON document."""
    rows = [_row(verdict, *each) for each in _samples(verdict)]
    return Report(COLUMNS, rows, _document(verdict), verdict)


def _samples(verdict: Verdict) -> Iterator[tuple[str, Check, SampleCheck | None]]:
    """Walk the samples, each with the first check that it fails, or else the decisive one."""
    unusable = next((check for check in verdict.checks if check.problem), None)
    if unusable is not None:
        for label in unusable.labels:
            yield label, unusable, None
        return
    decisive = verdict.checks.index(verdict.decisive)
    for each in zip(*(check.samples for check in verdict.checks), strict=True):
        failed = (c for c, (_, sample) in enumerate(each) if not sample.passed)
        chosen = next(failed, decisive)
        label, sample = each[chosen]
        yield label, verdict.checks[chosen], sample


def _row(verdict: Verdict, label: str, check: Check, sample: SampleCheck | None) -> list[object]:
    if sample is None:
        return [label, False, "", "", "", "", "", "", check.quantity, check.problem]
    worst = sample.worst
    return [
        label, sample.passed, sample.max_abs_error, sample.max_rel_error,
        _class(verdict, worst.output) or "", _class(verdict, worst.input) or "",
        worst.expected, worst.actual, check.quantity, "",
    ]  # fmt: skip


def _class(verdict: Verdict, position: int | None) -> str | None:
    return None if position is None else verdict.classes[position]


def _document(verdict: Verdict) -> dict[str, Any]:
    check = verdict.decisive
    samples = list(_samples(verdict))
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
    if verdict.checks[0].candidate:
        document["checks"] = [
            {
                "quantity": each.quantity,
                "candidate": _encodable(each.candidate),
                "passed": each.passed,
                "failed": each.n_samples if each.problem else len(each.failed),
                **({"called": each.called} if each.called else {}),
                **_how(each),
            }
            for each in verdict.checks
        ]
    return document


def _encodable(word: str | None) -> str | None:
    """Escape what the bytes of a file's name hold besides text: JSON has text alone."""
    return word and word.encode(errors="backslashreplace").decode()


def _how(check: Check) -> dict[str, Any]:
    how = {
        "method": check.method,
        "step": check.step,
        "atol": check.atol,
        "rtol": check.rtol,
    }
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
            "worst": {
                "output": _class(verdict, sample.worst.output),
                "input": _class(verdict, sample.worst.input),
                "expected": sample.worst.expected,
                "actual": sample.worst.actual,
            },
        }
    found |= {"quantity": check.quantity} if check.candidate else {}
    return found | ({"problem": check.problem} if check.problem else {})


def _diagnosis(check: Check) -> dict[str, Any] | None:
    """Return the mistake that explains the failure, and what else would explain it."""
    found = [
        {"name": each.name, "advice": each.advice}
        | ({} if each.factor is None else {"factor": each.factor})
        for each in check.diagnoses
    ]
    if not found:
        return None
    return found[0] | ({"alternatives": found[1:]} if len(found) > 1 else {})
