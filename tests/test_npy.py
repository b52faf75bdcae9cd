"""NPY in and out, through the program."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.lib import format as npy_format

from softmax_cli.errors import InputError
from softmax_cli.mathematics import core
from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from tests.program import PETS, run, run_in_terminal

Z = np.random.default_rng(11).normal(0, 3, (5, 4))


def npy(array: Any, **kwargs: Any) -> bytes:
    content = io.BytesIO()
    np.save(content, array, **kwargs)
    return content.getvalue()


def raw(*words: str, stdin: bytes = b"") -> bytes:
    return run(*words, stdin=stdin).stdout.encode(errors="surrogateescape")


@pytest.mark.parametrize(
    "array",
    [
        Z, Z[0], np.asfortranarray(Z), np.asfortranarray(Z.astype(">f4")), np.array([[0, -np.inf]]),
        *map(Z.astype, (">f8", "f4", "f2")), *map((10 * Z).astype, ("i1", ">i8")),
        np.abs(Z).astype(np.uint32), np.array([[2**63 - 1, 2**63 - 2**20]]),
    ],
    ids=lambda array: f"{array.dtype.str}-{'x'.join(map(str, array.shape))}",
)  # fmt: skip
def test_every_real_array_is_read_from_a_file_and_from_a_pipe(array: Any, tmp_path: Path) -> None:
    path = tmp_path / "z.npy"
    path.write_bytes(npy(array))
    expected = np.atleast_2d(core.softmax(array)).tolist()
    assert run("forward", str(path), "-f", "csv").rows == expected
    assert run("forward", "-f", "csv", stdin=npy(array)).rows == expected


def header_of(array: Any, change: Callable[[dict[str, Any]], None]) -> bytes:
    header: dict[str, Any] = npy_format.header_data_from_array_1_0(array)
    change(header)
    content = io.BytesIO()
    npy_format.write_array_header_1_0(content, header)
    data: bytes = array.tobytes()
    return content.getvalue() + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (npy(Z + 0j), "expected an array of real numbers, found one of complex128"),
        (npy(np.array(["1", "2"])), "expected an array of real numbers, found one of <U1"),
        (npy(np.longdouble(Z)), "expected an array of real numbers, found one of float128"),
        (
            npy(np.array([{}, 1])),
            "expected an array of real numbers, found one of object\nhint: pi",
        ),
        (npy(np.float64(3)), "expected an array with an axis of classes"),
        (npy(np.ones((0, 3))), "expected an array of numbers, found shape (0, 3)"),
        (npy(Z)[:-1], "expected the numbers that its header tells of, found fewer"),
        (npy(Z) * 2, "expected the numbers that its header tells of, found more"),
        (npy(Z)[:40], "expected an array in NPY format: EOF"),
        (b"\x93NUMPY\x09\x00", "expected an array in NPY format: "),
        (b"\x93NUMPY\x02\x00\x00\x00\x01\x00{", "expected an array in NPY format: EOF: re"),
        (b"\x93NUMPY\x01\x00\x06\x00hello\n", "expected an array in NPY format: "),
        (header_of(Z, lambda h: h.update(shape=(-5, 4))), "expected an array of numbers, found "),
        (header_of(Z, lambda h: h.update(shape=(10**30, 4))), "expected "),
        (npy([[1, np.nan]]), "sample 1, value 2: found nan, expected a finite number or -inf"),
        (npy([[1, 2], [-np.inf, -np.inf]]), "sample 2: every logit is -inf"),
    ],
)
def test_what_is_no_real_array_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "z.npy").write_bytes(content)
    for outcome in (
        run("forward", "z.npy", "-f", "jsonl", cwd=tmp_path),
        run("forward", "--input-format", "npy", "-f", "jsonl", stdin=content),
    ):
        assert (outcome.status, outcome.stdout) == (2, "")
        place, _, rest = outcome.stderr.removeprefix("error: ").partition(": ")
        assert place in ("z.npy", "<stdin>")
        assert rest.startswith(message)
        assert len(outcome.stderr.splitlines()) <= 2


def test_a_file_that_loses_its_end_while_it_is_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "z.npy"
    np.save(path, np.ones((200_000, 4)))
    with open_logits([str(path)], InputOptions()) as logits:
        next(logits.batches)
        os.truncate(path, 1000)
        with pytest.raises(InputError, match="cut while it was read"):
            next(logits.batches)


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Any, tuple[str]]:
            return exec, (f"open({str(tmp_path / 'sprung')!r}, 'w')",)

    path = tmp_path / "z.npy"
    path.write_bytes(npy(np.array([Trap(), 1])))
    assert run("forward", str(path)).status == 2
    assert [each.name for each in tmp_path.iterdir()] == ["z.npy"]


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        (["forward"], (3, 3)), (["forward", "--log"], (3, 3)), (["jacobian"], (3, 3, 3)),
        (["jacobian", "--entry", "cat,dog"], (3,)), (["jacobian", "--vjp", "0,0,1"], (3, 3)),
    ],
)  # fmt: skip
def test_it_holds_what_csv_holds(words: list[str], shape: tuple[int, ...], tmp_path: Path) -> None:
    lines = run(*words, PETS, "-f", "csv").stdout.splitlines()[1:]
    width = shape[-1] if len(shape) > 1 else 1
    expected = [list(map(float, line.split(",")[-width:])) for line in lines]
    path = tmp_path / "out.npy"
    assert run(*words, PETS, "-o", str(path)).status == 0
    content = path.read_bytes()
    array = np.load(path)
    assert (array.shape, array.dtype) == (shape, np.float64)
    assert array.reshape(-1, width).tolist() == expected
    # To a pipe, and from a source that says beforehand how many samples there are.
    assert raw(*words, PETS, "-f", "npy") == content
    document = '{"classes":["cat","dog","owl"],"logits":' + str(
        [list(map(float, line.split(",")[1:])) for line in Path(PETS).read_text().splitlines()[1:]]
    )
    assert raw(*words, "-f", "npy", stdin=document.encode() + b"}") == content


def test_npy_to_npy_over_many_batches(tmp_path: Path) -> None:
    z = np.random.default_rng(12).normal(0, 3, (70_001, 5))
    for order in (np.ascontiguousarray, np.asfortranarray):
        np.save(tmp_path / "z.npy", order(z))
        out = tmp_path / "y.npy"
        assert run("forward", str(tmp_path / "z.npy"), "-o", str(out)).status == 0
        assert np.load(out).tobytes() == core.softmax(z).tobytes()


def test_a_large_jacobian_is_written_in_parts_that_make_the_whole(tmp_path: Path) -> None:
    z = np.random.default_rng(13).normal(0, 3, (2, 700))
    np.save(tmp_path / "z.npy", z)
    out = tmp_path / "J.npy"
    assert run("jacobian", str(tmp_path / "z.npy"), "-o", str(out)).status == 0
    assert np.load(out).tobytes() == core.jacobian(z).tobytes()


def test_an_upstream_gradient_may_be_an_array(tmp_path: Path) -> None:
    g = np.random.default_rng(14).normal(0, 1, Z.shape)
    np.save(tmp_path / "z.npy", Z)
    np.save(tmp_path / "g.npy", g)
    printed = run("jacobian", "z.npy", "--vjp", "g.npy", "-f", "csv", cwd=tmp_path)
    assert printed.rows == core.vjp(Z, g).tolist()


def test_bytes_are_not_thrown_at_a_terminal() -> None:
    outcome = run_in_terminal("forward", "1", "2", "-f", "npy")
    assert outcome.status == 2
    assert outcome.stdout == (
        "error: --format: expected a file or a pipe for npy, found a terminal\n"
        "hint: write a file with -o FILE.npy\n"
    )
