"""How a signal ends a command: wherever it meets it, with one line and exit code 1.

KeyboardInterrupt alone does not do it. Raised in the callback of a weak reference, as each import
has some, or in `__del__`, it is printed and lost: a run that loaded its readers went on to wait
for its input. C code that is loading makes an ImportError of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED = "interrupted; nothing is left half done, run the command again to go on"

_FAILED = 1
_AGAIN_SECONDS = 0.05
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_Handler = Callable[[int, FrameType | None], None]


@contextmanager
def ended_at_once() -> Iterator[None]:
    """Let a signal end the process in the block, in which nothing is begun: it only loads."""

    def end(number: int, frame: FrameType | None) -> None:
        os.write(2, f"unecho: {INTERRUPTED}\n".encode())
        os._exit(_FAILED)

    with _answered_by(end):
        yield


@contextmanager
def ended_as_by_ctrl_c() -> Iterator[None]:
    """Let a signal raise KeyboardInterrupt in the block: the run is marked failed.

    A second SIGTERM or SIGHUP does not cut off how the first one ends; a second Ctrl-C does.
    """
    told: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        if told and number != signal.SIGINT:
            return
        told.append(number)
        raise KeyboardInterrupt

    with _answered_by(interrupt), _lost_ones_repeated(told):
        try:
            yield
        except Exception as error:
            if told:
                raise KeyboardInterrupt from error
            raise


@contextmanager
def _answered_by(handler: _Handler) -> Iterator[None]:
    """Answer the signals that end a process by `handler`.

    What is ignored (nohup) stays so, and in a process of Prefect's runner Prefect's answer holds.
    """
    is_main = threading.current_thread() is threading.main_thread()
    is_ours = is_main and "PREFECT__FLOW_RUN_ID" not in os.environ
    earlier = {n: signal.getsignal(n) for n in _ENDING} if is_ours else {}
    plain = (signal.SIG_DFL, signal.default_int_handler)
    ours = [n for n, answer in earlier.items() if answer in plain]
    for n in ours:
        signal.signal(n, handler)
    try:
        yield
    finally:
        for n in ours:
            signal.signal(n, earlier[n])


@contextmanager
def _lost_ones_repeated(told: list[int]) -> Iterator[None]:
    """Send the signal again whose KeyboardInterrupt was lost, when the code that lost it is left.

    `told` are the signals that were answered; the lost one is taken from it.
    """
    earlier = sys.unraisablehook

    def hook(lost: Any) -> None:
        if not told or not issubclass(lost.exc_type, KeyboardInterrupt):
            earlier(lost)
            return
        main = threading.main_thread().ident
        assert main is not None
        # To the main thread itself: it may wait for input, which only a signal breaks off.
        again = threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main, told.pop()))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
    try:
        yield
    finally:
        sys.unraisablehook = earlier
