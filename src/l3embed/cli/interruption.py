"""Ctrl-C in command lines: answered at once, whatever is going on; and the second time the end at once."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from l3embed.cli.unread import end_when_unread
from l3embed.disk.leftovers import remove_leftovers

EXIT_INTERRUPTED = 130

LOOK_S = 0.5
"""How often to look, after the first Ctrl-C, whether the main thread has been told of it in vain."""

ANSWER = "\n{}: finishing what is under way (Ctrl-C once more ends it at once).\n"


def answering(program: str, run: Callable[[], int]) -> int:
    """Run a command line in this process, which is its own, and return the exit status.

    Parameters
    ----------
    program : str
        What the user calls it.
    run : callable
        Does the work, and returns the exit status.
    """
    end_when_unread()
    try:
        return _answering(program, run)
    finally:
        gc.freeze()  # or Python would look through all that lives for garbage as it ends: a tenth of a second


def _answering(program: str, run: Callable[[], int]) -> int:
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:  # in the background, or under nohup
        return run()
    interruption = _Interruption()
    try:
        with _undisturbed():
            interruption.begin(ANSWER.format(program).encode())
        interruption.status = run()
    except BaseException:
        if not interruption.has_come:
            raise
        # What was interrupted may have made another exception of it, as imports do.
        sys.stderr.write(f"{program}: interrupted.\n")
        interruption.status = EXIT_INTERRUPTED
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python would put back what ends it with a signal's status
    if interruption.has_come:
        # Rather than as Python ends, which may take as long as what was interrupted has threads.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(interruption.status)
    return interruption.status


class _Interruption:
    """What becomes of SIGINT in this process until its end.

    Python tells its main thread of a signal when that next runs Python code, and lets no other thread run
    while an import or a compilation keeps its lock: that may be a second later. What is told at once is a
    socket, and what can answer at once is another process: a small one, forked before there is much to it.
    """

    def __init__(self) -> None:
        self.has_come = False
        self.status: int | None = None

    def begin(self, answer: bytes) -> None:
        """Answer from now on."""
        told, telling = socket.socketpair()
        telling.setblocking(False)
        if hasattr(os, "fork"):
            told, answer = _fork_answering(told, telling, answer), b""
            os.register_at_fork(after_in_child=_leave_alone)
            signal.signal(signal.SIGURG, self._take_lost)
        signal.set_wakeup_fd(telling.detach(), warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, self._take)
        threading.Thread(target=self._watch, args=(told, answer), name="ctrl-c", daemon=True).start()

    def _take(self, *_: object) -> None:
        """Interrupt the main thread: the first time as Python does."""
        if self.has_come or self.status is not None:
            self._end()
        self.has_come = True
        raise KeyboardInterrupt

    def _take_lost(self, *_: object) -> None:
        """Interrupt the main thread again if it goes on: what it was calling has caught all exceptions."""
        if self.has_come and not _is_ending(sys.exc_info()[1]):
            raise KeyboardInterrupt

    def _watch(self, told: socket.socket, answer: bytes) -> None:
        """End the process at the second signal, and answer the first if nobody else does: the thread."""
        interrupts = _interrupts(told)
        next(interrupts, None)
        _write(answer)
        if hasattr(signal, "pthread_kill"):
            told.settimeout(LOOK_S)
        for is_real in interrupts:
            if is_real:
                self._end()
            # A signal that does nothing to those who don't ask for it, and ends waits as Ctrl-C does.
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGURG)

    def _end(self) -> None:
        remove_leftovers()
        os._exit(EXIT_INTERRUPTED if self.status is None else self.status)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Have SIGINT wait meanwhile, where it can be made to."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fork_answering(told: socket.socket, telling: socket.socket, answer: bytes) -> socket.socket:
    """Fork the process that answers, and return where it passes signals on to.

    It ends when this one does, however that ends: then nobody is left who could tell it anything.
    """
    passed_on, passing = socket.socketpair()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, none of which it needs
        child = os.fork()
    if child:
        told.close()
        passing.close()
        return passed_on
    try:  # with SIGINT blocked for good
        telling.close()
        passed_on.close()
        for descriptor in (0, 1):
            with suppress(OSError):
                os.close(descriptor)
        for _ in _interrupts(told):
            _write(answer)
            answer = b""
            passing.send(bytes([signal.SIGINT]))
    finally:
        os._exit(0)


def _interrupts(told: socket.socket) -> Iterator[bool]:
    """Yield True for each SIGINT until the other end is closed, and False when none comes for a while."""
    while True:
        try:
            signals = told.recv(1)
        except TimeoutError:
            yield False
            continue
        if not signals:
            return
        if signals[0] == signal.SIGINT:
            yield True


def _is_ending(fault: BaseException | None) -> bool:
    """Tell whether a thread in which this is being handled is on its way out of the program."""
    while fault:
        if isinstance(fault, (KeyboardInterrupt, GeneratorExit)):
            return True
        fault = fault.__context__
    return False


def _write(answer: bytes) -> None:
    with suppress(OSError):  # nobody may be listening
        os.write(2, answer)


def _leave_alone() -> None:
    """Have a forked process, which the terminal interrupts too, not tell of that here."""
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)
