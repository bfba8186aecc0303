"""`veldwatch up` and `veldwatch demo`: the whole stack on this machine."""

from launch.demo import prepare_demo
from launch.progress import Progress
from launch.stack import Stack
from veldwatch.config import load_settings
from veldwatch.process import stop_on_signals

# Children get 10 s to stop, one stage after another; the launcher itself must outlast them.
_PATIENCE_SECONDS = 20.0


def up() -> None:
    """Start database, broker and programs on this machine; Ctrl-C stops everything."""
    settings = load_settings()
    Stack(settings, stop_on_signals(_PATIENCE_SECONDS), Progress()).run()


def demo() -> None:
    """Start everything with simulated meters and animals, demo rules and a local mailbox."""
    settings = load_settings()
    stop = stop_on_signals(_PATIENCE_SECONDS)
    Stack(settings, stop, Progress(), simulated=True, prepare=prepare_demo).run()
