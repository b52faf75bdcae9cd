"""A real browser: Chromium, headless, driven by its devtools protocol over a pair of pipes."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import IO, Any

import pytest

_OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--remote-debugging-pipe", "about:blank",
)  # fmt: skip


def need(found: object, what: str) -> None:
    """Skip, loudly, without something that only continuous integration must have."""
    if not found:
        assert not os.environ.get("CI"), f"{what} is missing, and may not be"
        pytest.skip(f"{what} is missing: the page was NOT tried in a browser")


class Browser:
    """One tab."""

    def __init__(self, commands: IO[bytes], answers: IO[bytes]) -> None:
        self._commands, self._answers, self._ids = commands, answers, count(1)
        self._session: dict[str, str] = {}
        self._events: list[str] = []
        targets = self.call("Target.getTargets")["targetInfos"]
        tab = next(each["targetId"] for each in targets if each["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=tab, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        self.call("Page.enable")

    def call(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": parameters, **self._session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while (answer := self._next()).get("id") != number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, path: Path, address: str = "", width: int = 1280, scheme: str = "light") -> None:
        """Open a file at a width in a colour scheme, and wait until it is loaded."""
        scale = {"deviceScaleFactor": 1, "mobile": False, "height": 844}
        self.call("Emulation.setDeviceMetricsOverride", width=width, **scale)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.call("Emulation.setEmulatedMedia", features=[feature])
        for url in ("about:blank", path.as_uri() + address):
            self._events.clear()
            self.call("Page.navigate", url=url)
            while "Page.loadEventFired" not in self._events:
                self._next()

    def run(self, body: str) -> Any:
        """Return what the body of an asynchronous function returns in the page."""
        expression = f"(async () => {{{body}}})()"
        how = {"awaitPromise": True, "returnByValue": True}
        returned = self.call("Runtime.evaluate", expression=expression, **how)
        assert "exceptionDetails" not in returned, returned
        return returned["result"].get("value")

    def _next(self) -> Any:
        content = bytearray()
        while (byte := self._answers.read(1)) != b"\0":
            assert byte, "the browser is gone"
            content += byte
        message = json.loads(content)
        self._events.append(message.get("method", ""))
        return message


@contextmanager
def start(profile: Path) -> Iterator[Browser]:
    """Start a browser that forgets everything in the end."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    need(chromium, "chromium")
    (read, commands), (answers, write) = os.pipe(), os.pipe()
    # Chromium reads commands from 3 and writes answers to 4.
    script = f'exec "$@" 3<&{read} 4>&{write}'
    words = ["bash", "-c", script, "chromium", str(chromium), f"--user-data-dir={profile}"]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([*words, *_OPTIONS], pass_fds=(read, write), stderr=quiet)
    os.close(read)
    os.close(write)
    with open(commands, "wb") as sent, open(answers, "rb") as received:
        try:
            yield (browser := Browser(sent, received))
            browser.call("Browser.close")
        finally:
            process.terminate()
            process.wait(30)


def axe() -> str:
    """Return axe-core, which judges whether everybody can use a page."""
    path = Path(os.environ.get("AXE_CORE", "node_modules/axe-core/axe.min.js"))
    need(path.exists(), "axe-core (npm)")
    return path.read_text()
