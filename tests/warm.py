"""Runs the program without its start-up: a server that has made its imports forks for each run.

The server is a process of its own, without threads, that ends when its connection does. A fork
becomes what ``python -m softmax_cli`` would be with the same environment: it has the descriptors,
the folder and the words of the run, and ends as any interpreter ends. polars is not among the
imports, since the program reads and prints in other ways where it is loaded.
"""

import atexit
import gc
import json
import os
import pkgutil
import runpy
import select
import selectors
import signal
import socket
import struct
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path

TIMEOUT = 120
_NUMBER = struct.Struct("!q")
_LEFT_OUT = ("softmax_cli.__main__", "softmax_cli.polars_rows")


def run(
    words: Sequence[str], stdin: bytes, cwd: Path, environment: Mapping[str, str]
) -> tuple[int, bytes, bytes]:
    """Return the exit status, as `subprocess` has it, stdout and stderr of one run.

    Raises
    ------
    subprocess.TimeoutExpired
        After `TIMEOUT` seconds.
    RuntimeError
        When the server is no more; the message is what it had to say.
    """
    server, process = _server(frozenset(environment.items()))
    pipes = [os.pipe() for _ in range(3)]
    (stdin_end, ours), (stdout, stdout_end), (stderr, stderr_end) = pipes
    request = json.dumps([str(cwd), *words]).encode()
    theirs = [stdin_end, stdout_end, stderr_end]
    try:
        socket.send_fds(server, [_NUMBER.pack(len(request))], theirs)
        server.sendall(request)
        for descriptor in theirs:
            os.close(descriptor)
        printed = _exchange(ours, stdin, stdout, stderr)
        status = os.waitstatus_to_exitcode(_number(server))
    except (BrokenPipeError, ConnectionResetError, EOFError) as error:
        raise RuntimeError(process.communicate()[1].decode()) from error
    if status == -signal.SIGALRM:
        raise subprocess.TimeoutExpired(list(words), TIMEOUT, *printed)
    return status, *printed


def _exchange(stdin: int, text: bytes, stdout: int, stderr: int) -> tuple[bytes, bytes]:
    """Write to one pipe and read two until all are closed."""
    rest = memoryview(text)
    printed = {stdout: bytearray(), stderr: bytearray()}
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE)
        for descriptor in printed:
            selector.register(descriptor, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                if key.fd != stdin:
                    part = os.read(key.fd, 1 << 16)
                    printed[key.fd] += part
                    if part:
                        continue
                elif rest:
                    try:
                        rest = rest[os.write(stdin, rest[: select.PIPE_BUF]) :]
                        continue
                    except BrokenPipeError:  # the program need not read it all
                        pass
                selector.unregister(key.fd)
                os.close(key.fd)
    return bytes(printed[stdout]), bytes(printed[stderr])


def start(
    environment: frozenset[tuple[str, str]],
) -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    """Start a server with an environment; it ends when the connection to it is closed."""
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, __file__, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        # Pipes, as those of a run, so that the interpreter makes the streams that it would make.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environment),
    )
    theirs.close()

    @atexit.register
    def end() -> None:
        ours.close()
        process.communicate()

    return ours, process


_server = cache(start)


def _number(connection: socket.socket) -> int:
    packed = connection.recv(_NUMBER.size, socket.MSG_WAITALL)
    if len(packed) < _NUMBER.size:
        raise EOFError
    number: int = _NUMBER.unpack(packed)[0]
    return number


def _import_all() -> None:
    for module in ("numpy", "rich.console", "rich.table", "rich.text"):
        import_module(module)
    package = import_module("softmax_cli")
    for found in pkgutil.walk_packages(package.__path__, "softmax_cli."):
        if found.name not in _LEFT_OUT:
            import_module(found.name)


def _serve(connection: socket.socket) -> None:
    """Fork for each request. Only a fork returns, and is all but the program."""
    while True:
        header, descriptors, _, _ = socket.recv_fds(connection, _NUMBER.size, 3)
        if not header:
            sys.exit()
        request = connection.recv(_NUMBER.unpack(header)[0], socket.MSG_WAITALL)
        folder, *words = json.loads(request)
        with warnings.catch_warnings(action="ignore"):  # numpy has threads, all at rest
            child = os.fork()
        if not child:
            break
        for descriptor in descriptors:
            os.close(descriptor)
        connection.sendall(_NUMBER.pack(os.waitpid(child, 0)[1]))
    connection.close()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(folder)
    sys.path[0] = os.getcwd()  # noqa: PTH109
    sys.argv[1:] = words
    signal.alarm(TIMEOUT)


if __name__ == "__main__":
    del sys.path[0]  # this folder is no part of the program
    sys.path.insert(0, "")
    _import_all()
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("softmax_cli", run_name="__main__", alter_sys=True)
