"""The README's command blocks: what they say, and what running them prints.

``python -m tests.readme`` rewrites the output blocks from fresh runs; look at the change before
you keep it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.program import ROOT, SAMPLES, environment

README = ROOT / "README.md"
_BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)


def blocks() -> list[str]:
    return _BLOCK.findall(README.read_text(encoding="utf-8"))


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
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment({"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}),
                check=False,
            )
            shown += f"$ {command}\n{done.stdout.decode()}"
        return shown


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(_BLOCK.sub(lambda block: rerun(block[0]), text), encoding="utf-8")
