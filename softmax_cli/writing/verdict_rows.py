"""A verdict, or a sweep over steps, as rows and as a document."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict
from softmax_cli.result import Report

COLUMNS = (
    "sample", "passed", "max_abs_error", "max_rel_error", "max_ulp_error",
    "worst_output", "worst_input", "expected", "actual", "quantity", "problem",
)  # fmt: skip


def verdict_report(verdict: Verdict) -> Report:
    """Make a row a sample, and the JSON document."""
    return Report(COLUMNS, _rows(verdict), lambda: _document(verdict), verdict)


def _rows(verdict: Verdict) -> Iterator[list[object]]:
    for label, check, sample in _decisive(verdict):
        found = _sample(verdict, label, check, sample)
        worst = found.get("worst", {})
        place = {"worst_output": worst.get("output"), "worst_input": worst.get("input")}
        cells = {"quantity": check.quantity, **found, **worst, **place}
        yield ["" if (cell := cells.get(column)) is None else cell for column in COLUMNS]


def _document(verdict: Verdict) -> dict[str, Any]:
    samples = [_sample(verdict, *each) for each in _decisive(verdict)]
    check = verdict.decisive
    return {
        "command": "check",
        "passed": verdict.passed,
        "checked": len(samples),
        "failed": sum(not sample["passed"] for sample in samples),
        **_how(check),
        "samples": samples,
        "diagnosis": _diagnosis(check),
        "notes": list(verdict.notes),
        **({} if verdict.upstream is None else {"upstream": verdict.upstream.tolist()}),
        **_problem(check),
        **({"checks": list(map(_check, verdict.checks))} if check.candidate else {}),
    }


def sweep_report(sweep: Sweep) -> Report:
    """Make a row a step, and the JSON document."""
    rows = list(zip(sweep.steps, *sweep.errors.values(), strict=True))
    best = {
        method: pair and {"step": pair[0], "error": pair[1]} for method, pair in sweep.best.items()
    }
    document = {"command": "check", "sweep": {"step": sweep.steps, **sweep.errors}, "best": best}
    return Report(("step", *sweep.errors), rows, lambda: document, sweep)


def _decisive(verdict: Verdict) -> Iterator[tuple[str, Check, SampleCheck | None]]:
    """Walk the samples, each with the first check that it fails, or else the decisive one.

    None stands for a sample where nothing could be compared. Our own samples follow the user's.
    """
    for labels in dict.fromkeys(check.labels for check in verdict.checks):
        checks = [check for check in verdict.checks if check.labels == labels]
        decisive = next((check for check in checks if not check.passed), checks[-1])
        unusable = next((check for check in checks if check.problem), None)
        for k, label in enumerate(labels):
            if unusable is not None:
                yield label, unusable, None
                continue
            failed = (check for check in checks if check.samples.failed[k])
            check = next(failed, decisive)
            yield label, check, check.samples[k][1]


def _sample(
    verdict: Verdict, label: str, check: Check, sample: SampleCheck | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"sample": label, "passed": sample is not None and sample.passed}
    if sample is not None:
        worst = asdict(sample.worst)
        del worst["exact"]
        for end in ("output", "input"):
            worst[end] = None if worst[end] is None else verdict.classes[worst[end]]
        names = ("max_abs_error", "max_rel_error", "max_ulp_error")
        found |= {name: getattr(sample, name) for name in names} | {"worst": worst}
    found |= {"quantity": check.quantity} if check.candidate else {}
    return found | _problem(check)


def _problem(check: Check) -> dict[str, str]:
    problem = check.problem or check.unstable
    return {"problem": problem} if problem else {}


def _check(check: Check) -> dict[str, Any]:
    return {
        "quantity": check.quantity,
        # JSON has text alone, and the name of a file may be other bytes.
        "candidate": check.candidate.encode(errors="backslashreplace").decode(),
        "passed": check.passed,
        "failed": check.n_samples if check.problem else check.n_failed,
        **({"called": check.called} if check.called else {}),
        **_how(check),
    }


def _how(check: Check) -> dict[str, Any]:
    how = {"method": check.method, "step": check.step, "atol": check.atol, "rtol": check.rtol}
    how |= {"dtype": check.precision} | ({"log": True} if check.log else {})
    estimate = check.error_estimate
    return how | ({} if estimate is None else {"error_estimate": estimate})


def _diagnosis(check: Check) -> dict[str, Any] | None:
    """Return the mistake that explains the failure, and what else would explain it."""
    found: list[dict[str, Any]] = [
        {"name": each.name, "advice": each.advice, **dict(each.numbers)} for each in check.diagnoses
    ]
    if len(found) > 1:
        found[0]["alternatives"] = found[1:]
    return found[0] if found else None
