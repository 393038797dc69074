"""Runs of the Pulumi CLI on the terminal, without a secret in its log or in what it prints.

What would have the engine or a provider log keys, pass phrases and bundles is refused. Which
settings do is what `tests/engine/test_secrets.py` found in the values of a stack: the engine
(3.276) logs no secret up to level 10. With `--logflow` the alicloud provider logs what it is given
from level 9 on, the server's private key among it. Engines before 3.269 log every property that
they hand to a provider at that level: the toolchain takes none of these.

Private keys are taken out of what is printed: the provider puts the key of a server certificate
into the URL by which it uploads it (UploadServerCertificate), and repeats the URL where no answer
comes. The CLI prints that, and the log of a pipeline would keep it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from operations.errors import ENDING_SIGNALS, OperationError, signal_exit, undisturbed

CLEAN_LEVEL = 10
"""Highest level of `pulumi --verbose` that logs no credentials: 11 does some, on purpose
(https://www.pulumi.com/docs/support/troubleshooting/)."""

CLEAN_LEVEL_OF_PROVIDERS = 8
"""Highest level that logs no credentials where `--logflow` has the providers log too."""

OVERRIDE = "SLB_MUTUAL_TLS_SECRET_LOGS"
"""Environment variable by which, if `yes`, a user promises to keep the logs as secrets."""

_TRUE = frozenset({"1", "true"})

REDACTED = b"[private key]"
"""Text that is printed in a key's place."""

LONGEST_KEY = 16 * 1024
"""Bytes that are waited for the end of a key: in a URL, one of 4096 bits has 3.6 thousand."""

_SPACE = rb"(?:[ +]|%20)"
_KIND = rb"(?:[A-Z]+" + _SPACE + rb"){0,2}PRIVATE" + _SPACE + rb"KEY"
_BEGIN = re.compile(rb"-----BEGIN" + _SPACE + _KIND + rb"-----")
_WHOLE = re.compile(_BEGIN.pattern + rb".*?-----END" + _SPACE + _KIND + rb"-----", re.DOTALL)
_CUT_SHORT = re.compile(_BEGIN.pattern + rb"[A-Za-z0-9+/=%\\\s]*")
_MAY_BEGIN = re.compile(rb"-{1,5}\Z|-----[A-Z][A-Z0-9 +%]{0,40}-{0,4}\Z")

CHUNK = 64 * 1024

LATE_SECONDS = 5.0
"""Seconds for output after the command's end: something that it started may hold its side open."""

STEP = 1.0
"""Seconds after which a signal has been seen at the latest."""


def require_clean_logs(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Check the arguments and the environment of the Pulumi CLI before it runs.

    Args:
        arguments: Arguments that a user passes on to the CLI.
        environment: Environment of this process, which the CLI inherits.

    Raises:
        OperationError: Secrets would be logged, and nobody said that the logs are kept as such.
    """
    if environment.get(OVERRIDE) == "yes":
        return
    reasons = [
        *_in_levels(arguments, environment),
        *_in_traces(arguments, environment),
        *_in_environment(environment),
    ]
    if reasons:
        raise OperationError(
            f"{'; '.join(reasons)}. Leave that out, take at most -v={CLEAN_LEVEL}, or "
            f"-v={CLEAN_LEVEL_OF_PROVIDERS} with --logflow, or set {OVERRIDE}=yes if you keep the "
            "logs as secret as the keys."
        )


def _in_levels(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    levels = {f"-v={level}": level for level in _levels(arguments)}
    configured = environment.get("PULUMI_OPTION_VERBOSE", "")
    levels[f"PULUMI_OPTION_VERBOSE={configured}"] = _level(configured)
    flow = _find_option("logflow", arguments, environment)
    for option, level in levels.items():
        if level > CLEAN_LEVEL:
            yield f"{option} logs credentials on purpose"
        elif flow and level > CLEAN_LEVEL_OF_PROVIDERS:
            yield f"{option} with {flow} has the provider log the server's private key"


def _in_traces(arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[str]:
    option = _find_option("tracing", arguments, environment)
    if option and environment.get("PULUMI_TRACING_NO_PAYLOADS", "").lower() not in _TRUE:
        yield f"{option} sends every call's content along, unless PULUMI_TRACING_NO_PAYLOADS=true"


def _in_environment(environment: Mapping[str, str]) -> Iterator[str]:
    if environment.get("PULUMI_DEBUG_GRPC"):
        yield "PULUMI_DEBUG_GRPC writes every call between engine and providers into a file"
    if "terraform" in re.split(r"[\s,]+", environment.get("DEBUG", "")):
        yield "DEBUG=terraform logs the provider's requests, with the server's private key in one"
    for name in ("TF_LOG", "TF_LOG_PROVIDER"):
        if environment.get(name, "").upper() in {"TRACE", "DEBUG", "JSON"}:
            yield f"{name}={environment[name]} has providers log what they work with"


def _find_option(name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Find an option in the arguments or the environment, as it was given; empty if it was not."""
    if any(re.match(f"--{name}(=|$)", argument) for argument in arguments):
        return f"--{name}"
    variable = f"PULUMI_OPTION_{name.upper()}"
    return variable if environment.get(variable) else ""


def _levels(arguments: Sequence[str]) -> Iterator[int]:
    """Read the levels in `-v=9`, `-v 9`, `-v9`, `--verbose=9`, `--verbose 9`, and `-dv=9`."""
    for place, argument in enumerate(arguments):
        option = re.fullmatch(r"(?:--verbose|-[A-Za-z]*v)(?:=?(\w+))?", argument)
        if option:
            following = arguments[place + 1] if place + 1 < len(arguments) else ""
            yield _level(option[1] or following)


def _level(text: str) -> int:
    """Read a level as the CLI does, in any base; 0 for what it does not take."""
    try:
        return int(text, 8 if re.fullmatch("0[0-7]+", text) else 0)
    except ValueError:
        return 0


class Redactor:
    """Takes private keys out of a stream of bytes, as they are and as URLs and JSON have them."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, content: bytes) -> bytes:
        """Take bytes in; return what can be printed now, as the rest may be the start of a key."""
        text = _WHOLE.sub(REDACTED, self._held + content)
        begun = _BEGIN.search(text)
        if begun and len(text) - begun.start() > LONGEST_KEY:
            text, begun = _CUT_SHORT.sub(REDACTED, text), None
        held_from = begun or _MAY_BEGIN.search(text)
        end = held_from.start() if held_from else len(text)
        self._held = text[end:]
        return text[:end]

    def rest(self) -> bytes:
        """Return what is left at the end of the stream, without keys."""
        text, self._held = _CUT_SHORT.sub(REDACTED, self._held), b""
        return text


def run(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    display: TextIO | None = None,
    apart: bool = False,
    ended: Callable[[int, int], None] = lambda _pid, _status: None,
) -> int:
    """Run a command whose input is this process's; return its exit status.

    Where this process prints to a terminal, so does the command: to one of its own, which is
    copied. An interrupt from the keyboard is the command's affair; its end is waited for, and so it
    is where this process is told to end.

    Args:
        command: The program, and its arguments.
        cwd: Folder that the command runs in.
        env: Environment of the command.
        display: Stream for its standard output, if not this process's own.
        apart: Whether the terminal's signals are kept from it, where it might not survive them in
            order: it is told to stop once this process is. Such a command asks nothing.
        ended: Function called, undisturbed by signals, with the command's process id and status.

    Raises:
        SystemExit: This process was told to end; so was the command, and it has ended.
        KeyboardInterrupt: Likewise, from the keyboard; of a command that runs apart alone.
    """
    channels = [_Channel(display or sys.stdout), _Channel(sys.stderr)]
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL if apart else None,
        stdout=channels[0].inner,
        stderr=channels[1].inner,
        start_new_session=apart,
    )
    for channel in channels:
        os.close(channel.inner)
    threads = [threading.Thread(target=channel.copy, daemon=True) for channel in channels]
    with _signals_handled(channels, process, apart=apart) as received:
        for thread in threads:
            thread.start()
        status = _wait_for(process)
        for thread in threads:
            thread.join(LATE_SECONDS)
    with undisturbed():
        ended(process.pid, status)
    for number in received:
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise signal_exit(number)
    return status


def _wait_for(process: subprocess.Popen[bytes]) -> int:
    """Wait for a command, in steps: a signal that comes just before one is seen after it."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(STEP)


class _Channel:
    """Channel for one of the command's two outputs."""

    def __init__(self, to: TextIO) -> None:
        self._to = to
        self._terminal = to.isatty()
        self.outer, self.inner = pty.openpty() if self._terminal else os.pipe()
        if self._terminal:
            attributes = termios.tcgetattr(self.inner)
            attributes[1] &= ~termios.OPOST  # The real terminal does that.
            termios.tcsetattr(self.inner, termios.TCSANOW, attributes)
            self.resize()

    def resize(self) -> None:
        """Give the command's terminal the size of the real one."""
        if self._terminal:
            size = fcntl.ioctl(self._to.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(self.outer, termios.TIOCSWINSZ, size)

    def copy(self) -> None:
        """Copy the command's output until its side is closed."""
        redactor = Redactor()
        while content := self._read():
            self._print(redactor.feed(content))
        self._print(redactor.rest())
        os.close(self.outer)

    def _read(self) -> bytes:
        try:
            return os.read(self.outer, CHUNK)
        except OSError:  # Linux says EIO where a terminal's other side was closed.
            return b""

    def _print(self, content: bytes) -> None:
        # Where nobody reads any more, the command must not wait for us.
        with contextlib.suppress(OSError):
            self._to.buffer.write(content)
            self._to.buffer.flush()


@contextlib.contextmanager
def _signals_handled(
    channels: Sequence[_Channel], process: subprocess.Popen[bytes], *, apart: bool
) -> Iterator[list[int]]:
    """Pass on what ends the command; gives the signals by which this process has to end, too."""
    received: list[int] = []

    def resize(_number: int, _frame: object) -> None:
        for channel in channels:
            with contextlib.suppress(OSError, termios.error):
                channel.resize()

    def pass_on(number: int, _frame: object) -> None:
        # Told twice, an engine ends at once and leaves its lock; a closed terminal says so twice.
        told = bool(received) if apart else number == signal.SIGHUP and number in received
        received.append(number)
        if not told:
            process.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    handlers: dict[int, Callable[[int, Any], None]] = {
        # The command has it from the terminal, unless it runs apart.
        signal.SIGINT: pass_on if apart else lambda _number, _frame: None,
        signal.SIGWINCH: resize,
        **dict.fromkeys(ENDING_SIGNALS, pass_on),
    }
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield received
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
