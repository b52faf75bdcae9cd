"""Typesetting formulas for real, with KaTeX."""

from collections.abc import Sequence

from markdown_katex.wrapper import tex2html


def typeset(formulas: Sequence[str]) -> None:
    """Render all formulas in one go; KaTeX raises for what it does not understand."""
    together = " \\\\ ".join(f"{{{formula}}}" for formula in formulas)
    html = tex2html(rf"\begin{{gathered}} {together} \end{{gathered}}")
    assert "katex" in html
