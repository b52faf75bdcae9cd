"""The command blocks of the README and the help pages: what they say, and what they print.

``python -m tests.readme`` rewrites the outputs from fresh runs; look at the change before you
keep it.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.program import ROOT, SAMPLES, environment, run

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "softmax_cli" / "help").glob("*.md"))]
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Return each block with the name of its page."""
    return [(page.name, block) for page in PAGES for block in _BLOCK.findall(page.read_text())]


def commands(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if line.startswith("$ "):
            yield line[2:]


def rerun(block: str) -> str:
    """Run a block's commands in a fresh folder that has the sample inputs."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SAMPLES, Path(folder) / "sample_inputs")
        shown = ""
        for command in commands(block):
            words = shlex.split(command)
            if words[0] == "softmax-cli" and not re.search("[|<>$;&*?\\\\]", command):
                outcome = run(*words[1:], cwd=Path(folder))
                printed = outcome.stderr + outcome.stdout
            else:
                printed = in_a_shell(command, folder)
            shown += f"$ {command}\n{printed}"
        return shown


def in_a_shell(command: str, folder: str) -> str:
    return subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}),
        text=True,
        check=False,
    ).stdout


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(_BLOCK.sub(lambda block: rerun(block[0]), page.read_text()))
