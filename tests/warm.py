"""Crawls in processes that need not load Scrapy and its libraries first: half of a short crawl's time is their import.

``python tests/warm.py FD`` waits at that socket for jobs and forks a process for each, which does what
``python -m scrapy`` does, with words, folder, environment and streams of its own. Of the project nothing is loaded
before the fork, and of one job nothing is left to the next.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LIBRARIES = (
    "aiohttp.web",
    "filelock",
    "PIL.ImageOps",
    "playwright.async_api",
    "pydantic.type_adapter",
    "rich.progress",
    "rich.table",
    "scrapy.cmdline",
    "scrapy.contracts",
    "scrapy.core.downloader.handlers.http11",
    "scrapy.exporters",
    "scrapy.extensions.remote_control",
    "scrapy.http.cookies",
    "scrapy.pipelines.images",
    "scrapy.shell",
    "scrapy_playwright.handler",
    "scrapy_spider_metadata",
    "sqlite3",
)
"""What crawls load from outside the project; none of them may choose a reactor, which is the project's to do."""

JOB_BYTES = 1 << 18


class Warm:
    """The process at the other end, started with the environment ``env``."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            fd = theirs.fileno()
            self._process = subprocess.Popen([sys.executable, __file__, str(fd)], env=env, pass_fds=[fd])

    def close(self) -> None:
        """End it; jobs that still run are not touched."""
        self._socket.close()
        self._process.wait()

    def can_run(self, env: dict[str, str]) -> bool:
        """Whether a job may have this environment: what is named PYTHON... Python reads when it starts."""
        return _read_at_start(env) == _read_at_start(self._env)

    def run(self, words: list[str], *, cwd: Path, env: dict[str, str], timeout: float) -> tuple[int, str, str]:
        """The exit code of ``python -m scrapy WORDS``, negative for a signal, and what it wrote to its two streams.

        Raises subprocess.TimeoutExpired after ``timeout`` seconds; the process is killed then.
        """
        job = json.dumps({"words": words, "cwd": str(cwd), "env": env, "timeout": timeout}).encode()
        reading, writing = os.pipe()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(reading) as answer:
            with os.fdopen(writing, "w"):
                socket.send_fds(self._socket, [job], [out.fileno(), err.fileno(), writing])
            begun = time.monotonic()
            code = int(answer.readline())
            if code == -signal.SIGKILL and time.monotonic() - begun >= timeout:
                raise subprocess.TimeoutExpired(words, timeout, _written(out), _written(err))
            return code, _written(out), _written(err)


def _read_at_start(env: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith("PYTHON")}


def _written(stream: Any) -> str:
    stream.seek(0)
    return stream.read().decode()


# The process at the other end


def serve(jobs: socket.socket) -> list[str] | None:
    """Fork for each job; in the process of one, return its words, and ``None`` when no more can come."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that wait
    while True:
        text, fds, *_ = socket.recv_fds(jobs, JOB_BYTES, 3)
        if not text:
            return None
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return take(json.loads(text), *fds)
        for fd in fds:
            os.close(fd)


def take(job: dict[str, Any], out: int, err: int, answer: int) -> list[str]:
    """Wait for a process that does the job, and answer how it ended; in that process, return its words."""
    if pid := os.fork():
        signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, job["timeout"])
        _, status = os.waitpid(pid, 0)
        os.write(answer, b"%d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for fd in (out, err, answer):
        os.close(fd)
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    os.chdir(job["cwd"])
    return list(job["words"])


def main(fd: int) -> None:
    """Load what is needed, wait for jobs, and be ``python -m scrapy`` in the process of each."""
    for library in LIBRARIES:
        importlib.import_module(library)
    assert not {"twisted.internet.reactor", "imagecrawl"} & {*sys.modules}
    gc.freeze()
    with socket.socket(fileno=fd) as jobs:
        words = serve(jobs)
    if words is not None:
        gc.unfreeze()
        sys.argv[1:] = words
        sys.path[0] = str(Path.cwd())
        runpy.run_module("scrapy", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
