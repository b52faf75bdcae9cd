"""The Typer app: its commands, and how the command line is parsed."""

import sys
from contextlib import redirect_stdout
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from softmax_cli import __version__, words
from softmax_cli.commands.check import check
from softmax_cli.commands.forward import forward
from softmax_cli.commands.help import COMMANDS, reference
from softmax_cli.commands.jacobian import jacobian
from softmax_cli.errors import InputError

PROGRAM = "softmax-cli"
FUNCTIONS = {"forward": forward, "jacobian": jacobian, "check": check, "help": reference}


class LogitsCommand(TyperCommand):
    """A command whose operands are logits: ``-1`` and ``-inf`` are numbers wherever they stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Mask numbers from the option parser; refuse what is given twice."""
        if ctx.resilient_parsing:  # for completion
            return super().parse_args(ctx, args)
        args = list(map(words.masked, args))
        try:
            rest = super().parse_args(ctx, [*args])
        except Exception as error:  # of Typer's, which does not say of which command
            vars(error).update(ctx=ctx)
            raise
        _, _, order = self.make_parser(ctx).parse_args([*args])
        for each in order:
            if order.count(each) > 1 and not getattr(each, "multiple", False):
                raise InputError(each.opts[0], f"expected once, found {order.count(each)} times")
        logits = ctx.params["logits"] = [x.removeprefix(words.MASK) for x in ctx.params["logits"]]
        if not logits and sys.stdin.isatty():
            problem = "expected logits: numbers, a file or - for standard input, found none"
            told = InputError("", problem, f"see {ctx.command_path} --help")
            raise told if args else help_instead(ctx)
        return rest


class Program(TyperGroup):
    """The commands, each made when it is wanted: to make all takes a twentieth of a short run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name them, in the order of the help."""
        return [*FUNCTIONS]

    def get_command(self, ctx: Any, name: str) -> Any:
        """Make one, or None where there is none of this name."""
        if name not in FUNCTIONS:
            return None
        alone = typer.Typer(add_completion=False)
        alone.command(name, cls=TyperCommand if name == "help" else LogitsCommand)(FUNCTIONS[name])
        return typer.main.get_command(alone)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help where nothing is given; say what is no command."""
        if not ctx.resilient_parsing:
            if not args:
                raise help_instead(ctx)
            if args[0] == "help" and args[1:2] in ([name] for name in COMMANDS):
                args = [args[1], "--help"]
            words.refuse_misplaced(args, FUNCTIONS)
        return super().parse_args(ctx, args)


def help_instead(ctx: Any) -> typer.Exit:
    """Print the help on stderr, since it is no result; return the way out."""
    with redirect_stdout(sys.stderr):
        print(ctx.get_help(), end="")
    return typer.Exit(2)


def print_version(wanted: bool) -> None:
    """Print the version and exit, if that is what the user wants."""
    if wanted:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


_HELP = {"help_option_names": ["-h", "--help"]}
_SHOWN: dict[str, Any] = {"help": "Show the version.", "callback": print_version, "is_eager": True}
app = typer.Typer(cls=Program, pretty_exceptions_enable=False, context_settings=_HELP)


@app.callback()
def main(version: bool = typer.Option(False, "--version", **_SHOWN)) -> None:
    """A calculator for the softmax function and its derivative.

    softmax-cli forward 2 1 0.1
    softmax-cli jacobian 1 2 3 --explain
    softmax-cli forward logits.csv -o probabilities.csv
    softmax-cli check logits.csv --vjp mine.py:backward --upstream 0,0,1
    softmax-cli help input

    Exit status: 0 done, and check found no mistake; 1 check found one;
    2 wrong usage or bad input; 3 the result could not be written;
    130, 143, 129, 141 interrupted, terminated, hung up, nobody reads the pipe.
    """
