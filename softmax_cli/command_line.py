"""The command line's own rules, on top of Typer: numbers are no options, errors are one line."""

import math
import sys
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from softmax_cli.errors import InputError, did_you_mean, file_hint, quoted, silence, visible
from softmax_cli.lookup import load
from softmax_cli.words import NotANumberError, as_data, read_number, separate_operands

# The Typer app of each command.
COMMANDS = {
    "forward": "softmax_cli.app.forward:app",
    "jacobian": "softmax_cli.app.jacobian:app",
    "check": "softmax_cli.app.check:app",
}


class LogitsCommand(TyperCommand):
    """A command whose operands are logits: ``-1`` and ``-inf`` are numbers wherever they stand.

    With nothing at all, at a terminal, it shows its help.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Separate operands from options before the option parser sees them."""
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        value_options, flags = (
            frozenset(
                name
                for param in self.get_params(ctx)
                if param.param_type_name == "option" and getattr(param, "is_flag", False) is flag
                for name in (*param.opts, *param.secondary_opts)
            )
            for flag in (False, True)
        )
        if not args and sys.stdin.isatty():
            show_help(ctx)
            raise typer.Exit(2)
        options, operands = separate_operands(args, value_options, flags)
        rest = super().parse_args(ctx, [*options, "--", *operands])
        if not operands and sys.stdin.isatty():
            problem = "expected logits: numbers, a file or - for standard input, found none"
            raise InputError("", problem, f"see {ctx.command_path} --help")
        return rest


class CommandGroup(TyperGroup):
    """The program itself: without a command it shows its help.

    A command's options are put together when it is asked for, which takes as long as reading
    the logits of a few samples does.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make the command; for a mistyped name all of them, to suggest one."""
        for name in [cmd_name] if cmd_name in COMMANDS else COMMANDS:
            if name not in self.commands:
                self.add_command(typer.main.get_command(load(COMMANDS[name])), name)
        return self.commands.get(cmd_name)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help where there is nothing to parse."""
        if not args and not ctx.resilient_parsing:
            show_help(ctx)
            raise typer.Exit(2)
        return super().parse_args(ctx, args)


def show_help(ctx: Any) -> None:
    """Print the help on stderr, since it is no result."""
    try:
        with redirect_stdout(sys.stderr):
            print(ctx.get_help(), end="")
        sys.stderr.flush()
    except OSError:  # the exit status tells
        silence(2)


def usage_error(error: Exception) -> InputError | None:
    """Put a usage error of Typer's own into our form; None for any other exception.

    Typer exports no common class of its usage errors; all have a ``format_message``.
    """
    if not hasattr(error, "format_message"):
        return None
    path = getattr(getattr(error, "ctx", None), "command_path", "softmax-cli")
    hint = f"see {path} --help"
    if hasattr(error, "option_name") and hasattr(error, "possibilities"):
        if error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}?"
        hint = file_hint(error.option_name) or hint
        return InputError(quoted(error.option_name), "no such option", hint)
    message = visible(error.format_message().rstrip("."))
    return InputError("", message[:1].lower() + message[1:], hint)


def choice(
    option: str, known: Collection[str], hint: Callable[[str], str] = lambda _: ""
) -> Callable[[str], str]:
    """Return a parser for an option that takes one of some words.

    Parameters
    ----------
    option
        The option's name.
    known
        The words.
    hint
        Says of another word what to do instead, or "" where only a slip can be meant.
    """

    def parse(text: str) -> str:
        if text in known:
            return text
        problem = f"expected one of {', '.join(known)}, found {quoted(text)}"
        raise InputError(option, problem, hint(text) or did_you_mean(text, known))

    return parse


def number(
    option: str, *, zero_too: bool = False, least: float = 0.0
) -> Callable[[str | float], float]:
    """Return a parser for an option that takes a finite number from ``least`` up.

    0 itself is taken only where ``zero_too`` says so.
    """
    bound = f"of at least {least:.3g}" if zero_too or least else "greater than 0"

    def parse(text: str | float) -> float:
        try:
            value = read_number(str(text))
        except NotANumberError:
            value = math.nan
        if math.isfinite(value) and value >= least and (value > 0 or zero_too):
            return value
        raise InputError(option, f"expected a finite number {bound}, found {quoted(str(text))}")

    return parse


def whole_number(option: str, first: int, last: int) -> Callable[[str | int], int]:
    """Return a parser for an option that takes a whole number within a range."""

    def parse(text: str | int) -> int:
        digits = str(text)
        if digits.isascii() and digits.isdigit() and first <= int(digits[:9]) <= last:
            return int(digits)
        problem = f"expected a whole number from {first} to {last}, found {quoted(digits)}"
        raise InputError(option, problem)

    return parse


def delimiter(text: str) -> str:
    """Read the value of ``--delimiter``: one character, or ``tab``."""
    character = "\t" if text in ("tab", r"\t") else as_data(text)
    if len(character) == 1 and character not in '"\r\n\0':
        return character
    expected = "one character other than a quote or a line end, or tab"
    raise InputError("--delimiter", f"expected {expected}, found {quoted(text)}")
