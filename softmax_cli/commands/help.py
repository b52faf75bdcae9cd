"""The reference: pages of Markdown, which are files of the package."""

import typer

from softmax_cli import words

TOPICS = ("input", "output", "check", "mistakes", "python", "scale", "accuracy")
COMMANDS = ("forward", "jacobian", "help")  # and check, which is a topic too
TOPIC = "A page or a command. Without it: what there is."


def reference(topic: str | None = typer.Argument(None, help=TOPIC)) -> None:
    """Read the reference, a page a topic.

    softmax-cli help
    softmax-cli help input
    softmax-cli help forward
    """
    from importlib.resources import files

    from softmax_cli.writing.target import open_target

    if topic is not None:
        words.choice("argument 1", topic, (*TOPICS, *COMMANDS))
    page = (files("softmax_cli") / "help" / f"{topic or 'contents'}.md").read_text("utf-8")
    with open_target(None) as target:
        if target.is_terminal and target.encoding.lower().startswith("utf"):
            from rich.console import Console
            from rich.markdown import Markdown

            console = Console(force_terminal=True)
            with console.capture() as drawn:
                console.print(Markdown(page, code_theme="ansi_dark"), width=min(console.width, 100))
            page = drawn.get()
        target.write_text(page)
