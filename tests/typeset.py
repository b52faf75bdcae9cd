"""Typesetting for real: formulas of Markdown with KaTeX, whole documents with pdflatex."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from markdown_katex.wrapper import tex2html

PREAMBLE = "\\documentclass[a4paper]{article}\n\\usepackage{amsmath}\n\\begin{document}\n"


def typeset(formulas: Sequence[str]) -> None:
    """Render all formulas in one go; KaTeX raises for what it does not understand."""
    together = " \\\\ ".join(f"{{{formula}}}" for formula in formulas)
    assert "katex" in tex2html(rf"\begin{{gathered}} {together} \end{{gathered}}")


@contextmanager
def needs(program: str) -> Iterator[None]:
    """Skip, loudly, what needs a program that is not there; in CI it must be."""
    if shutil.which(program) is None:
        assert not os.environ.get("CI"), f"{program} is missing"
        pytest.skip(f"NOT TESTED: {program} is missing")
    yield


def compiled(pieces: Sequence[str], folder: Path) -> str:
    """Compile pieces of LaTeX, a page each; return the text of all, but for its spaces."""
    with needs("pdflatex"), needs("pdftotext"):
        text = PREAMBLE + "\n\\clearpage\n".join(pieces) + "\n\\end{document}\n"
        (folder / "x.tex").write_text(text)
        words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "x.tex"]
        done = subprocess.run(words, cwd=folder, capture_output=True, timeout=100, check=False)
        told = done.stdout.decode(errors="replace")
        assert done.returncode == 0, told[-2000:]
        wide = re.findall(r"Overfull \\[hv]box \([\d.]+pt[^\n]*\n[^\n]*", told)
        assert not [each for each in wide if float(each.split("(")[1].split("pt")[0]) > 4]
        shown = subprocess.run(["pdftotext", "x.pdf", "-"], cwd=folder, capture_output=True)
        return re.sub(r"\s+", "", shown.stdout.decode())
