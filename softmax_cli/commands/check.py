"""The exact Jacobian of each sample against a finite-difference one, with a verdict."""

from collections.abc import Sequence
from typing import Any

from softmax_cli import core, finite_difference
from softmax_cli.batch import Batch, FloatArray, Logits
from softmax_cli.checking import SampleCheck, Verdict, compare
from softmax_cli.finite_difference import METHODS
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.progress import watched
from softmax_cli.reading.source import open_logits
from softmax_cli.result import Quantity, Report
from softmax_cli.writing.write import write

COLUMNS = (
    "sample", "passed", "max_abs_error", "max_rel_error",
    "worst_output", "worst_input", "expected", "actual",
)  # fmt: skip


def run(
    words: Sequence[str],
    *,
    method: str,
    step: float | None,
    atol: float | None,
    rtol: float | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the verdict; return 0 if every sample passed, else 1."""
    chosen = METHODS[method]
    atol = chosen.atol / temperature if atol is None else atol
    rtol = chosen.rtol if rtol is None else rtol

    def approximate(batch: Batch) -> FloatArray:
        return finite_difference.jacobian(batch.logits, method, step, temperature)

    with open_logits(words, reading) as logits:
        quantity = Quantity("jacobian", 2, approximate)
        samples: list[tuple[str, SampleCheck]] = []
        for batch, numeric in quantity.pieces(watched(logits).batches):
            exact = core.jacobian(batch.logits, temperature=temperature)
            for label, e, a in zip(batch.labels, exact, numeric, strict=True):
                samples.append((label, compare(e, a, atol, rtol)))
        verdict = Verdict(
            samples=tuple(samples),
            classes=logits.classes,
            method=method,
            step=chosen.relative_step * temperature if step is None else step,
            step_is_relative=step is None and method != "complex-step",
            temperature=temperature,
            atol=atol,
            rtol=rtol,
        )
    rows = [_row(label, check, logits) for label, check in samples]
    view = "softmax_cli.display.check:view"
    write(Report(COLUMNS, rows, _document(verdict), view, verdict), writing)
    return 0 if verdict.passed else 1


def _row(label: str, check: SampleCheck, logits: Logits) -> list[object]:
    worst = check.worst
    return [
        label, check.passed, check.max_abs_error, check.max_rel_error,
        logits.classes[worst.output], logits.classes[worst.input], worst.expected, worst.actual,
    ]  # fmt: skip


def _document(verdict: Verdict) -> dict[str, Any]:
    return {
        "command": "check",
        "passed": verdict.passed,
        "checked": len(verdict.samples),
        "failed": len(verdict.failed),
        "method": verdict.method,
        "step": verdict.step,
        "atol": verdict.atol,
        "rtol": verdict.rtol,
        "samples": [
            {
                "sample": label,
                "passed": check.passed,
                "max_abs_error": check.max_abs_error,
                "max_rel_error": check.max_rel_error,
                "worst": {
                    "output": verdict.classes[check.worst.output],
                    "input": verdict.classes[check.worst.input],
                    "expected": check.worst.expected,
                    "actual": check.worst.actual,
                },
            }
            for label, check in verdict.samples
        ],
        "diagnosis": None,
    }
