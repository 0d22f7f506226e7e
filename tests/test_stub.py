"""The stub of the compiled door says what the door does."""

import os
import subprocess
import sys

CONFIG = "[mypy]\nignore_missing_imports = True\n"  # SciPy has no stubs


def test_stub_agrees_with_the_door(tmp_path, pytestconfig):
    (tmp_path / "mypy.ini").write_text(CONFIG)
    run = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "ggn._core",
         "--mypy-config-file", str(tmp_path / "mypy.ini")],
        capture_output=True,
        text=True,
        check=False,
        cwd=pytestconfig.rootpath,
        env={**os.environ, "MYPY_CACHE_DIR": str(tmp_path / "cache")},
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
