"""Check what the built archives hold: sources in the sdist, no sources in the wheel."""

import sys
import tarfile
import zipfile
from pathlib import Path

CORE = Path(__file__).parent.parent / "ggn" / "_core"

for path in sys.argv[1:]:
    if path.endswith(".whl"):
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
        bad = [n for n in names if n.endswith((".pyx", ".pxd", ".pxi", ".c", ".h"))]
        missing = [n for n in ("ggn/_core/door.pyi", "ggn/py.typed") if n not in names]
    else:
        with tarfile.open(path) as sdist:
            names = [n.partition("/")[2] for n in sdist.getnames()]
        hand_written = {
            f"ggn/_core/{c.name}"
            for c in CORE.glob("*.c")
            if not c.with_suffix(".pyx").exists()  # else Cython has made it
        }
        bad = [n for n in names if n.endswith(".c") and n not in hand_written]
        wanted = {
            "ggn/_core/door.pyx",
            "ggn/_core/activation_math.h",
            "ggn/_core/blas.pxd",
            "LICENSE",
        }
        missing = sorted((wanted | hand_written) - set(names))
    if bad or missing:
        sys.exit(f"{path}: should not hold {bad}, lacks {missing}")
    print(f"{path.rpartition('/')[2]}: {len(names)} files, as they should be")
