"""The Typer app: options and help texts of all commands, and how the command line is parsed."""

import sys
from collections.abc import Callable, Collection
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from softmax_cli import __version__, words
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.formats import READERS
from softmax_cli.writing.formats import SUFFIXES, WRITERS, choose_format, hint_for_format

# Takes the option's name, for messages, and what the user gave.
Parser = Callable[[str, str], Any]
Hint = Callable[[str], str] | None
Words = list[str] | None
Text = str | None
Number = float | None
PROGRAM = "softmax-cli"
DTYPES = ("float64", "float32", "float16", "bfloat16")
COLORS = ("auto", "always", "never")
METHODS = ("central", "forward", "complex-step", "richardson")


def option(
    panel: str, spelled: str, text: str, parse: Parser | None = None, usual: Any = None, **more: Any
) -> Any:
    """Describe an option, spelled as in ``--format -f FORMAT``; a flag has no such last word."""
    names = [word for word in spelled.split() if word.startswith("-")]
    more["metavar"] = spelled.removeprefix(" ".join(names)).strip() or None
    if parse is not None:
        more["parser"] = lambda value: parse(names[0], str(value))
    default = usual if more["metavar"] or "/" in spelled else False
    return typer.Option(default, *names, help=text, rich_help_panel=panel, **more)


def choice(
    panel: str, spelled: str, text: str, known: Collection[str], usual: str, hint: Hint = None
) -> Any:
    """Describe an option that takes one of some words."""
    text = rf"{text}: {', '.join(known)}. \[default: {usual}]"
    parse = partial(words.choice, known=known, hint=hint)
    return option(panel, spelled, text, parse, autocompletion=lambda: list(known))


given, shown, how, checked = (
    partial(option, panel) for panel in ("Input", "Output", "Method", "What is checked")
)
whole, data = words.whole, words.data
decimal = partial(words.choice, known=(".", ","))
digits = partial(whole, last=17)
not_negative = partial(words.finite, zero_too=True)
# Below the smallest normal number the derivative, up to 1/(4T), can be beyond float64.
normal = partial(words.finite, least=sys.float_info.min)

NUMBERS = f"""Numbers (one sample), comma separated tokens (a sample each), one file
({", ".join(READERS)}), or - for standard input, which is also read when nothing is given."""
T = "Divide the logits by T. Derivatives by the logits then carry the factor 1/T."
T_FROM_0 = "Divide the logits by T. 0 is the limit: 1 for the maximum, shared among ties."
OUTPUT = f"Write a file. Without --format its suffix decides: {' '.join(SUFFIXES)}, .gz of text."
N = "Use N processes for large inputs; by default all cores, 1: this process alone."
VJP = """The upstream gradient G times the Jacobian (backpropagation), without building it.
G is 0,0,1 or a file with one row for all samples or a row each."""
PROBABILITIES = """Your probabilities: a file in any input format, or code, FILE.py:FUNCTION or
PACKAGE.MODULE:FUNCTION, which is called with the logits, and differentiated too."""
UPSTREAM = """The upstream gradient for --vjp: 0,0,1 or a file. Without it a general one is
drawn, the same in every run, which hides no mistake of the usual kinds."""
THEIR_JACOBIAN = "Your Jacobians: (..., C, C), or stacked (K*C, C)."
BACKWARD = "Your backward pass, upstream gradient times Jacobian. Code takes logits and gradient."
TOP = "Only the N most probable classes of each sample, with their names."
SHOWN_DIGITS = "Significant digits in tables, up to 17."

KEEP = "Columns that stand beside the results, unchanged: id,label, or all that are no logits."
KEY = r"The member that holds an array of logits, a.b.0 in nested ones. \[default: logits]"
AXIS = "The axis of the classes; 0 for text: they run down the file."

LOGITS = typer.Argument(None, metavar="[LOGITS]...", show_default=False, help=NUMBERS)
TEMPERATURE = how("--temperature -t T", T, normal, 1.0)
SAMPLE = given("--sample SAMPLE", "Only this sample, by name or position.", data)
JOBS = shown("--jobs N", N, whole)
PREFIX = shown("--prefix PREFIX", "Put it before the names of classes in headers.", data)
READER = choice("Input", "--input-format FORMAT", "How to read", READERS, "by suffix or content")
WRITER = choice("Output", "--format -f FORMAT", "How to write", WRITERS, "table", hint_for_format)
COLOR = choice("Output", "--color WHEN", "Colour tables", COLORS, "auto")
METHOD = choice("Method", "--method METHOD", "The finite difference", METHODS, "central")
DTYPE = choice("Method", "--dtype DTYPE", "Judge in", DTYPES, "the dtype of the results")


def reading(
    input_format: Text = READER,
    delimiter: Text = given("--delimiter CHAR", "What separates the cells.", words.delimiter),
    decimal: str = given("--decimal CHAR", "The decimal separator.", decimal, "."),
    header: bool | None = given(
        "--header/--no-header", "The first row is one, or not.", usual=None
    ),
    columns: Words = given("--columns COLUMNS", "The columns of logits: cat,dog or 2-11.", data),
    id_column: Text = given("--id COLUMN", "The column that names the samples.", data),
    keep: Words = given("--keep COLUMNS", KEEP, data),
    key: Text = given("--key PATH", KEY, data),
    axis: int | None = given("--axis N", AXIS),
    skip_invalid: bool = given("--skip-invalid", "Leave out samples with nan, inf or no value."),
) -> InputOptions:
    """Take what every command may be told about its input."""
    picked, kept = ",".join(columns) if columns else None, tuple(keep or ())
    names = (picked, id_column, kept, key)
    return InputOptions(input_format, delimiter, decimal, header, *names, axis, skip_invalid)


def writing(
    output_format: Text = WRITER,
    # It need not be readable: whether it can be written shows when it is.
    output: Text = shown("--output -o FILE", OUTPUT, readable=False),
    precision: int = shown("--precision -p DIGITS", SHOWN_DIGITS, digits, OutputOptions.precision),
    color: Text = COLOR,
) -> OutputOptions:
    """Take what every command may be told about its output; ``-o -`` is standard output."""
    path = None if output == "-" else output
    return OutputOptions(choose_format(output_format, path), path, precision, color or "auto")


def with_shared_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `reading` and `writing` in place of what these return."""
    shared = {part.__name__: (part, signature(part).parameters) for part in (reading, writing)}

    @wraps(command)
    def run(**given: Any) -> int:
        for name, (part, options) in shared.items():
            given[name] = part(**{option: given.pop(option) for option in options})
        return command(**given)

    every: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        every += shared[name][1].values() if name in shared else [parameter]
    every = [each.replace(kind=each.KEYWORD_ONLY) for each in every]
    run.__dict__["__signature__"] = Signature(every)
    return run


@with_shared_options
def forward(
    logits: Words = LOGITS,
    log: bool = how("--log", "Log-probabilities instead."),
    top: int | None = shown("--top N", TOP, partial(whole, last=10**9 - 1)),
    prefix: Text = PREFIX,
    temperature: float = how("--temperature -t T", T_FROM_0, not_negative, 1.0),
    sample: Text = SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    jobs: int | None = JOBS,
) -> int:
    """Probabilities: y_j = exp(z_j) / sum_c exp(z_c).

    softmax-cli forward 2 1 0.1
    softmax-cli forward -inf 0 -1.5 --log
    softmax-cli forward logits.csv -o probabilities.csv
    cat logits.csv | softmax-cli forward --columns 2-11 -f json
    """
    from softmax_cli.commands.forward import run

    return run(
        logits or [],
        log=log,
        top=top,
        prefix=prefix,
        sample=sample,
        temperature=temperature,
        reading=reading,
        writing=replace(writing, jobs=jobs),
    )


@with_shared_options
def jacobian(
    logits: Words = LOGITS,
    entry: Text = how("--entry J,I", "Only dy_J/dz_I, by class names or positions.", data),
    vjp: Text = how("--vjp G", VJP, data),
    explain: bool = how("--explain", "Derive it step by step, with one sample's numbers."),
    log: bool = how("--log", "Of log-softmax: dlog y_j/dz_i = delta_ij - y_i."),
    prefix: Text = PREFIX,
    temperature: float = TEMPERATURE,
    sample: Text = SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    jobs: int | None = JOBS,
) -> int:
    """The Jacobian of each sample: J_ji = dy_j/dz_i = y_j (delta_ij - y_i).

    softmax-cli jacobian 1 2 3
    softmax-cli jacobian 2 1 0.1 --explain
    softmax-cli jacobian logits.csv --entry cat,dog -f csv
    softmax-cli jacobian logits.csv --vjp upstream.csv -o gradient.csv
    """
    from softmax_cli.commands.jacobian import run

    return run(
        logits or [],
        entry=entry,
        upstream=vjp,
        sample=sample,
        explain=explain,
        log=log,
        prefix=prefix,
        temperature=temperature,
        reading=reading,
        writing=replace(writing, jobs=jobs),
    )


@with_shared_options
def check(
    logits: Words = LOGITS,
    probabilities: Text = checked("--probabilities CANDIDATE", PROBABILITIES),
    jacobian: Text = checked("--jacobian CANDIDATE", THEIR_JACOBIAN),
    vjp: Text = checked("--vjp CANDIDATE", BACKWARD),
    upstream: Text = checked("--upstream G", UPSTREAM),
    method: Text = METHOD,
    step: Number = how("--step H", "The step size. Its default suits the method.", words.finite),
    atol: Number = how("--atol A", "Absolute tolerance, in A + R |exact|.", not_negative),
    rtol: Number = how("--rtol R", "Relative tolerance. The report has both.", not_negative),
    dtype: Text = DTYPE,
    log: bool = how("--log", "Check log-softmax instead."),
    stress: bool = checked("--stress", "Give code hard samples of our own too."),
    forward_only: bool = checked("--forward-only", "Leave the derivative of code out."),
    timeout: Number = checked("--timeout S", "The seconds that code may take.", words.finite),
    sweep: bool = how("--sweep", "Show the error against the step size."),
    temperature: float = TEMPERATURE,
    sample: Text = SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    quiet: bool = shown("--quiet -q", "Print nothing: the exit status is the verdict."),
) -> int:
    """Check your softmax, Jacobian or backward pass; exit 0 if it passes, 1 if not.

    softmax-cli check logits.csv --jacobian mine.csv
    softmax-cli check logits.csv --vjp mine.py:backward --upstream 0,0,1
    softmax-cli check logits.csv --probabilities package.module:softmax -q
    softmax-cli check 1 2 3 --method complex-step
    """
    from softmax_cli.commands.check import Candidates, Comparison, run

    return run(
        logits or [],
        candidates=Candidates(probabilities, jacobian, vjp, upstream, timeout, sample),
        comparison=Comparison(
            temperature=temperature,
            log=log,
            dtype=dtype,
            atol=atol,
            rtol=rtol,
            method=method,
            step=step,
            forward_only=forward_only,
            stress=stress,
        ),
        sweeping=sweep,
        quiet=quiet,
        reading=reading,
        writing=writing,
    )


def reference(
    topic: Text = typer.Argument(None, help="A page or a command. Without it: what there is."),
) -> int:
    """Read the reference, a page a topic.

    softmax-cli help
    softmax-cli help input
    softmax-cli help forward
    """
    from softmax_cli.commands.help import TOPICS, run

    if topic in COMMANDS and topic not in TOPICS:
        app([topic, "--help"], prog_name=PROGRAM, standalone_mode=False)
        return 0
    return run(topic, {name: str(each.__doc__).split("\n")[0] for name, each in COMMANDS.items()})


# A new command is a function above and a word here.
COMMANDS: dict[str, Callable[..., int]]
COMMANDS = {"forward": forward, "jacobian": jacobian, "check": check, "help": reference}


class LogitsCommand(TyperCommand):
    """A command whose operands are logits: ``-1`` and ``-inf`` are numbers wherever they stand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Separate operands from options before the option parser sees them."""
        if ctx.resilient_parsing:  # for completion
            return super().parse_args(ctx, args)
        waits = sys.stdin.isatty()
        if not args and waits:
            raise help_instead(ctx)
        options = [each for each in self.get_params(ctx) if each.param_type_name == "option"]
        flags = {name for each in options if getattr(each, "is_flag", False) for name in each.opts}
        others = {name for each in options for name in each.opts} - flags
        given, operands = words.separate_operands(args, frozenset(others), frozenset(flags))
        _, _, order = self.make_parser(ctx).parse_args([*given, "--"])
        for each in order:
            if order.count(each) > 1 and not getattr(each, "multiple", False):
                raise InputError(each.opts[0], f"expected once, found {order.count(each)} times")
        rest = super().parse_args(ctx, [*given, "--", *operands])
        if not operands and waits:
            problem = "expected logits: numbers, a file or - for standard input, found none"
            raise InputError("", problem, f"see {ctx.command_path} --help")
        return rest


class Program(TyperGroup):
    """The commands. Each one's options are put together when it is asked for, to start faster."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Make the command."""
        if cmd_name not in COMMANDS:
            return None
        one = typer.Typer(add_completion=False)
        function = COMMANDS[cmd_name]
        kind = TyperCommand if function is reference else LogitsCommand
        one.command(cmd_name, cls=kind)(function)
        return typer.main.get_command(one)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Show the help where nothing is given; say what is no command."""
        if not ctx.resilient_parsing:
            if not args:
                raise help_instead(ctx)
            if wrong := words.misplaced(args, COMMANDS):
                raise wrong
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


app = typer.Typer(
    cls=Program,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


VERSION = option("Options", "--version", "Show the version.", callback=print_version, is_eager=True)


@app.callback()
def main(version: bool = VERSION) -> None:
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
