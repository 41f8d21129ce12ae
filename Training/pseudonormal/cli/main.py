"""``pseudonormal``: the commands in one place, and what a failure looks like to the user."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, Any

import typer

from pseudonormal import __version__
from pseudonormal.cli.bench import bench
from pseudonormal.cli.cases import app as cases
from pseudonormal.cli.demo import demo
from pseudonormal.cli.evaluate import evaluate
from pseudonormal.cli.failure import DONE, INTERRUPTED, report_failure
from pseudonormal.cli.generate import generate
from pseudonormal.cli.masks import masks
from pseudonormal.cli.models import app as models
from pseudonormal.cli.retrain import retrain
from pseudonormal.cli.seed import seed
from pseudonormal.cli.serve import serve
from pseudonormal.cli.simulate import simulate
from pseudonormal.cli.study import study
from pseudonormal.cli.synthesize import synthesize
from pseudonormal.cli.train import train
from pseudonormal.cli.web import web

app = typer.Typer(
    help="From a brain MRI scan to its pseudo-normal, difference map, lesion mask and report.",
    epilog="Research software, not a medical device.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(generate)
app.command()(evaluate)
app.command()(simulate)
app.command()(train)
app.command()(synthesize)
app.command()(seed)
app.command()(masks)
app.command()(retrain)
app.add_typer(models, name="models")
app.add_typer(cases, name="cases")
app.command()(serve)
app.command()(web)
app.command()(demo)
app.command()(bench)
app.command()(study)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pseudonormal {__version__}")
        raise typer.Exit


@app.callback()
def _every_command(
    _: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """From a brain MRI scan to its pseudo-normal, difference map, lesion mask and report."""


class _Interrupts:
    """Ctrl-C, and what ends jobs politely (schedulers, ``docker stop``), raise KeyboardInterrupt: folders are tidied.

    ``seen`` remembers it: raised in the middle of an import or of C code it can arrive as another exception.
    """

    def __init__(self) -> None:
        self.seen = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Interrupts:
        if threading.current_thread() is threading.main_thread():  # others may not listen to signals
            self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.seen = True
        raise KeyboardInterrupt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    :param arguments: those of the process when not given.
    :returns: exit code: 0 done, 2 the input is at fault (one line on stderr), 130 interrupted, 1 a defect of ours.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with _Interrupts() as interrupts:
        try:
            code = app(given or ["--help"], prog_name="pseudonormal", standalone_mode=False)
            # The library turns Ctrl-C into this; trainings hear it themselves, and say what they saved.
            if code == INTERRUPTED and interrupts.seen:
                raise KeyboardInterrupt
            return code if isinstance(code, int) else DONE
        except KeyboardInterrupt as error:
            return report_failure(error)
        except Exception as error:  # noqa: BLE001 - the one place where everything that failed is put into words
            return report_failure(KeyboardInterrupt() if interrupts.seen else error)


if __name__ == "__main__":
    sys.exit(main())
