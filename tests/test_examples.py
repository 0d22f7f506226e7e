"""Every example runs, and what it claims of its result holds: it asserts so itself."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import surroundings

import ggn

ROOT = Path(ggn.__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))


@pytest.mark.skipif(not EXAMPLES, reason="an installed package has no examples")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path, tmp_path):
    command = [sys.executable, "-W", "error", path]
    result = subprocess.run(
        command, cwd=tmp_path, env=surroundings(), capture_output=True, text=True, timeout=120
    )
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    assert result.stdout
    assert path.read_text(encoding="utf-8").count("\nassert ") >= 1
    assert list(tmp_path.iterdir()) == []
