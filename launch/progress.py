"""What the launcher says on the terminal: one line per step, in plain words."""

import time
from contextlib import suppress

import typer


class Progress:
    """Tells steps and how long each took; quiet text where output is not a terminal."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def step(self, what: str, detail: str = "") -> None:
        """Tell that something is ready."""
        now = time.monotonic()
        mark = typer.style("ready", fg=typer.colors.GREEN)
        typer.echo(f"  {what:<12} {mark}  {now - self._since:4.1f} s  {detail}".rstrip())
        self._since = now

    def say(self, line: str) -> None:
        """Tell anything else."""
        typer.echo(line)

    def warn(self, line: str) -> None:
        """Tell of trouble that is being dealt with."""
        with suppress(OSError):  # into a file on a full disk: it is no reason to end
            typer.secho(f"  {line}", fg=typer.colors.YELLOW, err=True)
