"""SoftHSM's tokens in a folder of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from support.interop import TIMEOUT, program

if TYPE_CHECKING:
    from pathlib import Path


class SoftHsm:
    """Tokens that nobody else sees; `environment` leads SoftHSM's library and programs to them."""

    def __init__(self, folder: Path) -> None:
        (folder / "tokens").mkdir()
        config = folder / "softhsm2.conf"
        config.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        self.environment = {
            "SOFTHSM2_CONF": str(config),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        }

    def init_token(self, label: str, pin: str) -> str:
        """Make a token, and return the number of its slot."""
        common = ("--label", label, "--pin", pin, "--so-pin", "12345678")
        return self.run(program("softhsm2-util"), "--init-token", "--free", *common).split()[-1]

    def run(self, *command: str) -> str:
        """Run a program that uses the tokens, and return what it printed; it has to succeed."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()
