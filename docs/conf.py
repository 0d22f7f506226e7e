"""The user guide: `sphinx-build -W --keep-going -b html docs docs/_build`.

Nothing is fetched while building, nor while reading: MathJax comes with a package.
The pages' examples are run by pytest, as doctests.
"""

import enum
import re
from importlib.metadata import version as installed
from pathlib import Path

from ggn.activations import BUILT_IN
from ggn.losses import BUILT_IN as LOSSES

project = "ggn"
author = "The ggn developers"
copyright = "the ggn developers"
version = release = installed("ggn")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx-mathjax-offline",
    "numpydoc",
    "matplotlib.sphinxext.plot_directive",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "py:obj"  # a link where the name is ours, else code
pygments_style = "friendly"

autosummary_generate = True
toc_object_entries_show_parents = "hide"
autodoc_typehints = "none"  # numpydoc's sections name the types
# what autodoc writes without a docstring of its own, or inherits, is no part of the contract
autodoc_default_options = {
    "members": True,
    "member-order": "bysource",
}
autodoc_inherit_docstrings = False
numpydoc_show_class_members = False

plot_formats = [("png", 110)]
plot_html_show_formats = False
plot_html_show_source_link = False

html_theme = "pydata_sphinx_theme"
html_title = "ggn"
html_static_path = ["_static"]
html_css_files = ["guide.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_end": ["theme-switcher"],
    "footer_start": ["copyright"],
    "footer_end": [],
}


def write(name, lines):
    """Write a generated page, unless it is as it should be."""
    page = Path(__file__).parent / "generated" / name
    page.parent.mkdir(exist_ok=True)
    text = "\n".join(lines)
    if not page.exists() or page.read_text(encoding="utf-8") != text:
        page.write_text(text, encoding="utf-8")


def write_activations():
    """Write the page of the built-in activations, one row for each class there is."""
    lines = [
        "Built-in activations", "====================", "",
        ".. list-table::", "   :header-rows: 1", "",
        "   * - name", "     - σ(z)", "     - image", "     - in PyTorch", "     - in Keras",
    ]  # fmt: skip
    for name, cls in BUILT_IN.items():
        names = ", ".join(f"``{n}``" for n in (name, *cls.aliases))
        says = cls.__doc__.partition("\n")[0].removeprefix("σ(z) = ").replace("|", "\\|")
        ends = re.sub(r"\d+\.\d+", lambda number: f"{float(number[0]):.4g}", str(cls().image))
        cells = names, says, ends, cls.torch, cls.keras
        elsewhere = [f"``{cell}``" if cell else "" for cell in cells[3:]]
        for mark, cell in zip("*    ", (*cells[:3], *elsewhere), strict=True):
            lines.append(f"   {mark} - {cell}".rstrip())
    lines += ["", ".. currentmodule:: ggn.activations", "", ".. autosummary::"]
    lines += [
        "   :toctree: .",
        "   :nosignatures:",
        "",
        *(f"   {cls.__name__}" for cls in BUILT_IN.values()),
        "",
    ]
    write("activations.rst", lines)


def write_losses():
    """Write the table of the losses' names, ours first, which the page of the API includes."""
    lines = [".. list-table::", "   :header-rows: 1", "", "   * - name", "     - also"]
    for name, cls in ((name, cls) for name, cls in LOSSES.items() if cls.aliases):
        lines += [f"   * - ``{name}``", "     - " + ", ".join(f"``{a}``" for a in cls.aliases)]
    write("losses.txt", lines)


write_activations()
write_losses()


def escape_bars(app, what, name, obj, options, lines):
    """Keep the bars of absolute values, |z|, which reStructuredText takes for substitutions."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")) and "``" not in line:
            lines[i] = line.replace("\\|", "|").replace("|", "\\|")


def shown(app, what, name, obj, skip, options):
    """Show the members of an enumeration, whose values are their documentation.

    Not what scikit-learn adds to an estimator for each method's options, in its own words.
    """
    if re.fullmatch(r"set_\w+_request", name):
        return True
    return False if isinstance(obj, enum.Enum) else None


def setup(app):
    """Connect what is ours, after numpydoc."""
    app.connect("autodoc-skip-member", shown)
    app.connect("autodoc-process-docstring", escape_bars, priority=900)
