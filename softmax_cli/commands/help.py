"""The reference: pages of Markdown, which are files of the package."""

from collections.abc import Mapping
from importlib.resources import files

from softmax_cli.errors import InputError, did_you_mean, quoted
from softmax_cli.writing.target import open_target

TOPICS = ("input", "output", "check", "python", "scale", "accuracy")
WIDEST = 100


def run(topic: str | None, commands: Mapping[str, str]) -> int:
    """Print a page, or what pages and commands there are; return the exit status."""
    if topic is not None and topic not in TOPICS:
        known = list(dict.fromkeys([*TOPICS, *commands]))
        problem = f"expected one of {', '.join(known)}, found {quoted(topic)}"
        raise InputError("argument 1", problem, did_you_mean(topic, known))
    page = _contents(commands) if topic is None else _page(topic)
    with open_target(None) as target:
        if topic is not None and target.is_terminal:
            from rich.console import Console
            from rich.markdown import Markdown

            console = Console(force_terminal=True)
            with console.capture() as drawn:
                shown = Markdown(page, code_theme="ansi_dark")
                console.print(shown, width=min(console.width, WIDEST))
            page = drawn.get()
        target.write_text(page)
    return 0


def _page(topic: str) -> str:
    return (files("softmax_cli") / "help" / f"{topic}.md").read_text(encoding="utf-8")


def _contents(commands: Mapping[str, str]) -> str:
    """List the topics by the titles of their pages, ``# topic: what it tells``, and commands."""
    titles = {topic: _page(topic).split("\n")[0].partition(": ")[2] for topic in TOPICS}
    pages, others = (
        "".join(f"  {name:10}{about}\n" for name, about in each.items())
        for each in (titles, commands)
    )
    return (
        f"Pages of the reference, softmax-cli help TOPIC:\n\n{pages}\n"
        f"Commands and their options, softmax-cli COMMAND --help:\n\n{others}"
    )
