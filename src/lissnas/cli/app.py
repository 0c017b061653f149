"""All commands, and what becomes of an error."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic import ValidationError

from lissnas import __version__
from lissnas.cli import best, compare, data, jobs, latency, locality, one_shot, quality, reproduce, spaces
from lissnas.cli.console import stderr
from lissnas.errors import UserError
from lissnas.runs import RunInterrupted

__all__ = ["app", "run_app"]

app = typer.Typer(
    name="lissnas",
    help="Shrink a neural architecture search space, prove that the small one is better, and find the best network in it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (jobs.run, jobs.shrink, jobs.resume, jobs.report, spaces.sample, spaces.check, spaces.export):
    app.command()(command)
app.command("spaces")(spaces.spaces)
app.command("best")(best.best)
app.command("latency")(latency.latency)
app.command("locality")(locality.locality)
app.command("quality")(quality.quality)
app.command("compare")(compare.compare)
for one in (one_shot.supernet, one_shot.search, one_shot.retrain):
    app.command()(one)
app.command("reproduce")(reproduce.reproduce)
app.add_typer(data.data, name="data")


@app.callback(invoke_without_command=True)
def _root(version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def run_app(arguments: list[str]) -> int:
    """Run the command in ``arguments`` and return its exit code; every mistake of the user is one line on stderr."""
    try:
        code = app(arguments or ["--help"], standalone_mode=False, prog_name="lissnas")
    except UserError as error:
        return _say(f"{error}", 2)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        return _say(f"{_what_is_wrong(error)} (see: {context.command_path if context else 'lissnas'} --help)", 2)
    except OSError as error:
        name = error.filename2 or error.filename
        if name is None:  # not about a file, so nothing that the user can mend
            raise
        return _say(f"cannot use '{name}' ({(error.strerror or str(error)).lower()}): choose another place", 2)
    except RunInterrupted as stop:
        return _say(f"{stop}", 130)
    except (KeyboardInterrupt, typer.Abort):
        return _say("stopped", 130)
    except typer.Exit as stop:
        return stop.exit_code
    return code if isinstance(code, int) else 0


def _what_is_wrong(error: typer.TyperException) -> str:
    """Typer's message, with the value that it leaves out."""
    message = error.format_message()
    if isinstance(error.__cause__, ValidationError):
        from lissnas.runs.settings import in_our_words

        message = f"{in_our_words(message)}, but got '{error.__cause__.errors()[0]['input']}'"
    return message


def _say(line: str, code: int) -> int:
    stderr.print(f"lissnas: {' '.join(line.split())}", markup=False)
    return code
