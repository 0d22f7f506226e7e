"""The report: figures, the claims of the paper beside what was measured, and the tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ggn.io.files import replacing
from ggn.paper.sections import Section, Table, csv_bytes, markdown

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["assemble", "write"]

HEAD = """\
# The paper's experiments

Hao Shen, *Towards a Mathematical Understanding of the Difficulty in Learning with Feedforward
Neural Networks*, CVPR 2018, sections 5.2 and 6, run again by `{command}`.

{settings}.
The same seed gives the same CSV files, byte for byte, on the same machine and versions; files
named `*_timing.csv` hold seconds, which no seed determines. Claims marked "expected" are not
the paper's; "open" means that these runs do not tell. Where the paper gives a number, it stands
beside ours; "shown" means that it gives a picture only.
"""


def write(out: Path, parts: Path, name: str, section: Section, picture: Figure) -> None:
    """Write an experiment's picture and tables to `out`, and its part of the report to `parts`.

    Raises
    ------
    OSError
        If a file cannot be written; files are whole or not there.
    """
    for file, table in {**section.tables, **section.timings}.items():
        with replacing(out / file) as stream:
            stream.write(csv_bytes(table))
    with replacing(out / f"{name}.png") as stream:
        picture.savefig(stream, format="png")
    with replacing(parts / f"{name}.md") as stream:
        stream.write(_text(name, section).encode())


def _text(name: str, section: Section) -> str:
    claims = Table(
        {
            "claim": [claim.statement for claim in section.claims],
            "the paper": [claim.paper for claim in section.claims],
            "measured here": [claim.measured for claim in section.claims],
            "holds": [claim.answer for claim in section.claims],
        }
    )
    blocks = [
        f"## {section.title}",
        section.setting,
        markdown(claims),
        f"![{section.title}]({name}.png)",
        *section.notes,
    ]
    return "\n\n".join(blocks) + "\n"


def assemble(out: Path, parts: Path, names: list[str], settings: str, command: str) -> None:
    """Write report.md from the parts that are there."""
    found = [path for path in (parts / f"{name}.md" for name in names) if path.exists()]
    head = HEAD.format(command=command, settings=settings)
    text = "\n".join([head, *(path.read_text(encoding="utf-8") for path in found)])
    with replacing(out / "report.md") as stream:
        stream.write(text.encode())
