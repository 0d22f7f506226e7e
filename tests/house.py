"""The rules of the house: each takes a source tree and returns its breaches, a sentence each.

A *room* is a module or package directly below ggn.  ORDER lists the rooms; a room imports
only rooms before it.  `ggn/__init__.py` itself is the face of those that need no extra.
"""

import ast
import functools
import re

from source_tree import CYTHON, PYTHON, C, circles, nodes, ours

ORDER = [
    "validation", "_core",
    "activations", "losses", "network",
    "linearization",
    "io",
    "damping", "steps", "fit",
    "products",
    "problems",
    "surface",
    "recurrent",
    "export",
    "sklearn",
    "dask",
    "plot", "paper",
    "command", "__main__",
]  # fmt: skip
FACE = ORDER[: ORDER.index("sklearn")]
EXTRAS = ["sklearn", "dask", "plot", "paper"]  # imported by name, once somebody asks
LATE = ["export", "recurrent", "surface"]  # as well: not for every script, and slow to start
# the room of compiled code; its module that Python calls, by the room's face; what names BLAS
CORE, DOOR, FACE_OF_CORE, BLAS = "_core", "ggn._core.door", "_core/__init__.py", "_core/blas.pxd"
REGISTRY = "validation/__init__.py", "classes_of"  # imports all modules of the package that asks
# the door's parts
DOORS = (
    "_core/door.pyx",
    "_core/data_door.pyx",
    "_core/matrix_door.pyx",
    "_core/recursion_door.pyx",
    "_core/squares_door.pyx",
    "_core/statespace_door.pyx",
    "_core/checks.pxd",
)
LAYOUT = ("_core/layout.pyx", "_core/layout.pxd")  # the one class that the door hands out
MOST_LINES, MOST_LINES_OF_TESTS, MOST_ROOMS = 300, 400, 20

ENTRANCES_TO_BLAS = re.compile(
    r"cython_(?:blas|lapack)|cblas|lapacke|\b[sdcz](?:"
    r"(?:ge|sy|tr|po)(?:mm|mv|rk|r2k|sm|sv|trf|trs|tri|qrf|lss|lsd|lsy|svd|sdd|ev|evd|evr)"
    r"|dot|axpy|scal|copy|swap|nrm2|asum|ger)_\b",
    re.IGNORECASE,
)
IMPORTERS = {
    "import_module", "__import__", "exec_module", "load_module", "spec_from_file_location",
    "resolve_name", "runpy", "run_module", "run_path", "SourceFileLoader",
}  # fmt: skip
# double[::1], double[:, ::1], and the like
MEMORYVIEW = re.compile(r"\w\s*\[(?:\s*:(?::1)?\s*,)*\s*::?1?\s*\]|\bmemoryview\b")


# -- files -------------------------------------------------------------------------------------


def known_kinds(tree):
    """Whatever a person puts into the house is source of a kind that these rules read."""
    known = [*tree.files(*PYTHON, *CYTHON, *C), *(p for p in tree.text if p.name == "py.typed")]
    strange = [tree.label(p) for p in tree.text if p not in known]
    return [f"{name} is of no kind known here" for name in strange]


def short_files(tree, most=MOST_LINES):
    """Every file can be read in one sitting."""
    sizes = {tree.label(p): len(text.splitlines()) for p, text in tree.text.items()}
    return [f"{name} has {n} lines, more than {most}" for name, n in sizes.items() if n > most]


def few_rooms(tree):
    """A newcomer can take in the ground floor."""
    rooms = {tree.room(p) for p in tree.text} - {"__init__", "__main__", "py"}
    if len(rooms) <= MOST_ROOMS:
        return []
    return [f"{len(rooms)} rooms, more than {MOST_ROOMS}: {', '.join(sorted(rooms))}"]


# -- imports -----------------------------------------------------------------------------------


def imports_point_down(tree):
    """A room imports rooms before it in ORDER, and never ggn itself.

    Of the compiled modules Python sees one, the door, and that by the face of their room; they
    know one another, and nothing else of ours.
    """
    found, compiled = [], _compiled(tree)
    for path in tree.files(*PYTHON, *CYTHON):
        here, name = tree.room(path), tree.label(path)
        if path.suffix in CYTHON:
            below, here = [], "compiled code"
        elif here == "__init__":
            below = FACE
        elif here in ORDER:
            below = ORDER[: ORDER.index(here) + 1]
        else:
            found.append(f"{name}: {here} has no place in the order")
            continue
        for module, line in tree.imports[path]:
            there = [*module.split("."), "ggn itself"][1]
            if module in compiled:
                there = module.removeprefix("ggn.")
                right = path.suffix in CYTHON or (name == FACE_OF_CORE and module == DOOR)
            else:
                right = there in below
            if not right:
                found.append(f"{name}:{line}: {here} may not import {there}")
    present = {tree.room(p) for p in tree.files(".py", ".pyx")}
    return found + [f"{room} is in the order only" for room in ORDER if room not in present]


def _compiled(tree):
    """Return the names of the modules that are Cython's."""
    return {module for module, path in tree.modules.items() if path.suffix in CYTHON}


def no_circles(tree):
    """No two modules, inside a package or among kernels, need each other."""
    return [f"a circle: {', '.join(group)}" for group in circles(tree.arrows)]


def imports_are_statements(tree):
    """Nothing is imported by a name made at run time, but for two things.

    An extra by ggn's __getattr__; and by `classes_of`, the modules of the package that asks.
    """
    found = []
    for path in tree.files(".py"):
        module, name = tree.ast(path), tree.label(path)
        allowed = set()
        for hook in module.body if name == "__init__.py" else []:
            if getattr(hook, "name", None) == "__getattr__":
                allowed |= {id(node) for node in ast.walk(hook)}
                found += [
                    f"{name}:{hook.lineno}: {text!r} is not an extra"
                    for test in ast.walk(hook)
                    if isinstance(test, ast.Compare)
                    for text in (getattr(n, "value", None) for n in ast.walk(test))
                    if isinstance(text, str) and text not in EXTRAS + LATE
                ]
                found += [
                    f"{name}:{hook.lineno}: {owner.value!r} is not below the face"
                    for table in ast.walk(hook)
                    if isinstance(table, ast.Dict)
                    for owner in table.values
                    if f"{owner.value}.".split(".")[1] not in FACE
                ]
        if name == REGISTRY[0]:
            allowed |= _of_the_asking_package(module)
        else:
            found += _asks_for_another(tree.text[path], name)
        allowed |= _spelled_out(tree.text[path])
        for node in _imports_by_name(tree.text[path]):
            if id(node) not in allowed:
                found.append(f"{name}:{node.lineno}: an import by name")
    for path in tree.files(*CYTHON):
        if any(re.search(rf"\b{word}\b", tree.code(path)) for word in IMPORTERS):
            found.append(f"{tree.label(path)}: an import by name")
    return found


# The three below ask every node of a file; copies of a tree share the answers.


@functools.cache
def _spelled_out(text):
    """Return the functions, by id, that are called with names of others' modules."""
    return {id(n.func) for n in nodes(text) if isinstance(n, ast.Call) and _of_another_package(n)}


def _of_another_package(call):
    """Whether a call gives the name of a module, spelled out, that is not ours."""
    if getattr(call.func, "id", None) in ("exec", "eval"):
        return False
    given = [*call.args, *(k.value for k in call.keywords)]
    texts = [getattr(value, "value", None) for value in given]
    return bool(texts) and all(
        isinstance(t, str) and not t.startswith(".") and t.split(".")[0] != "ggn" for t in texts
    )


def _of_the_asking_package(module):
    """Return the imports of `classes_of(package, base)` that name the package or a module of it."""
    hooks = [f for f in module.body if getattr(f, "name", None) == REGISTRY[1]]
    calls = [n for f in hooks for n in ast.walk(f) if isinstance(n, ast.Call)]
    own = ("package", "f'{package}.{file.name}'")
    return {id(n.func) for n in calls if [ast.unparse(a) for a in n.args] in [[own[0]], [own[1]]]}


@functools.cache
def _asks_for_another(text, name):
    """Return where `classes_of` is used in any other way than by a package for itself."""
    asked = {
        id(n.func)
        for n in nodes(text)
        if isinstance(n, ast.Call) and n.args and getattr(n.args[0], "id", None) == "__name__"
    }
    asked = asked if name.endswith("/__init__.py") else set()
    return [
        f"{name}:{n.lineno}: a package's modules are asked for by itself alone"
        for n in nodes(text)
        if (isinstance(n, ast.Name) and n.id == REGISTRY[1] and id(n) not in asked)
        or (isinstance(n, ast.Attribute) and n.attr == REGISTRY[1])
        or (isinstance(n, ast.alias) and n.name == REGISTRY[1] and n.asname)
        or (isinstance(n, ast.Constant) and n.value == REGISTRY[1])
    ]


@functools.cache
def _imports_by_name(text):
    return [node for node in nodes(text) if _is_import_by_name(node)]


def _is_import_by_name(node):
    if isinstance(node, ast.Name):
        return node.id in IMPORTERS | {"exec", "eval"}
    if isinstance(node, ast.Attribute):
        sys_modules = node.attr == "modules" and getattr(node.value, "id", None) == "sys"
        return node.attr in IMPORTERS or sys_modules
    if isinstance(node, ast.alias):  # under another name it would not be seen again
        last = node.name.split(".")[-1]
        return last in IMPORTERS and node.asname not in (None, last)
    return isinstance(node, ast.Constant) and node.value in [*IMPORTERS]


def plain_imports(tree):
    """Imports name the whole path and what they take: none is relative, none takes `*`.

    A Cython module is one file: it includes no other.  What C includes is in the tree, where
    these rules read it.
    """
    found = [
        f"{tree.label(path)}:{line}: includes {inner.name} from outside"
        for path in tree.files(*CYTHON, *C)
        for inner, line in tree.includes(path)
        if inner not in tree.text
    ]
    for path in tree.files(*PYTHON):
        for node in tree.nodes(path):
            if isinstance(node, ast.ImportFrom) and node.level:
                found.append(f"{tree.label(path)}:{node.lineno}: a relative import")
            if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
                found.append(f"{tree.label(path)}:{node.lineno}: an import of *")
    for path in tree.files(*CYTHON):
        if re.search(r"^\s*from\s+\.", tree.code(path), re.MULTILINE):
            found.append(f"{tree.label(path)}: a relative import")
        if re.search(r"c?import\s*\*", tree.code(path)):
            found.append(f"{tree.label(path)}: an import of *")
        if re.search(r"^\s*include\b", tree.code(path), re.MULTILINE):
            found.append(f"{tree.label(path)}: an include")
    return found


# -- faces -------------------------------------------------------------------------------------


def by_type(name):
    """Return the key that sorts constants, then classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2, name)


def tidy_faces(tree):
    """A package's face imports in order, and offers, in order, only names that it has."""
    found = []
    for path in (p for p in tree.files(".py") if p.name == "__init__.py"):
        name, module = tree.label(path), tree.ast(path)
        taken = [n for n in module.body if isinstance(n, ast.ImportFrom)]
        sources = [
            source
            for n in module.body
            for source in ([n.module] if n in taken else _plainly_imported(n))
            if ours(source)
        ]
        if sources != sorted(sources):
            found.append(f"{name}: imports are not sorted by module")
        for node in taken:
            names = [a.name for a in node.names]
            if names != sorted(names, key=by_type):
                found.append(f"{name}:{node.lineno}: names are not sorted")
        offered = _offered(module)
        if offered != sorted(set(offered), key=by_type):
            found.append(f"{name}: __all__ is not sorted, or says a name twice")
        typed = [n for test in module.body if isinstance(test, ast.If) for n in test.body]
        given = taken + [n for n in typed if isinstance(n, ast.ImportFrom)]
        has = tree.bound(tree.name(path)) | {a.asname or a.name for n in given for a in n.names}
        found += [f"{name}: __all__ has {n}, the file has not" for n in offered if n not in has]
    return found


def _plainly_imported(node):
    return [a.name for a in node.names] if isinstance(node, ast.Import) else []


def _offered(module):
    values = [
        node.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        for target in getattr(node, "targets", None) or [node.target]
        if getattr(target, "id", None) == "__all__"
    ]
    return [name for value in values for name in ast.literal_eval(value)]


def modules_stay_visible(tree):
    """What a face binds never has the name of a module of its package."""
    return [
        f"{tree.label(path)}: {name} hides the module {package}.{name}"
        for package, path in tree.modules.items()
        for name in sorted(tree.bound(package))
        if f"{package}.{name}" in tree.modules
    ]


# -- compiled code -----------------------------------------------------------------------------


def blas_has_one_entrance(tree):
    """Fortran's BLAS and LAPACK are named by one file of declarations."""
    names = {tree.label(p) for p, text in tree.text.items() if ENTRANCES_TO_BLAS.search(text)}
    return [f"{name} names BLAS or LAPACK" for name in sorted(names - {BLAS})] + [
        f"{name} does not name them" for name in {BLAS} - names
    ]


def compiled_code_stays_behind_the_door(tree):
    """Cython and C are in one room; memoryviews are the door's alone.

    Python's functions are the door's and the Layout's.  And Python reaches no kernel as an
    attribute of the room's face, where an import has left it.
    """
    kernels = {module.rpartition(".")[2] for module in _compiled(tree)}
    found = [
        f"{tree.label(path)}:{node.lineno}: {ast.unparse(node)} is a module of compiled code"
        for path in tree.files(*PYTHON)
        for node in tree.nodes(path)
        if isinstance(node, ast.Attribute)
        and node.attr in kernels
        and ast.unparse(node.value) in (CORE, f"ggn.{CORE}")
    ]
    for path in tree.files(*CYTHON, *C):
        here, name = tree.room(path), tree.label(path)
        if here != CORE:
            found.append(f"{name}: compiled code outside {CORE}")
        if path.suffix in C or name in DOORS:
            continue
        code = tree.code(path)
        if MEMORYVIEW.search(code):
            found.append(f"{name}: a memoryview")
        if name in LAYOUT:
            continue
        foreign = set(re.findall(r"^\s*(?:from|c?import)\s+(\w+)", code, re.MULTILINE))
        foreign -= {"ggn", "libc", "cython", *(["scipy"] if name == BLAS else [])}
        found += [f"{name}: a kernel that imports {package}" for package in sorted(foreign)]
        if re.search(r"^\s*(?:cp)?def\s", code, flags=re.MULTILINE):
            found.append(f"{name}: a function of Python's")
        for rest in re.findall(r"^\s*cdef[^=\n]*?\w+\((?:[^()]*)\)([^\n]*)", code, re.MULTILINE):
            if "noexcept nogil" not in rest:
                found.append(f"{name}: a kernel that may raise or needs the GIL")
    return found


RULES = [
    known_kinds,
    short_files,
    few_rooms,
    imports_point_down,
    no_circles,
    imports_are_statements,
    plain_imports,
    tidy_faces,
    modules_stay_visible,
    blas_has_one_entrance,
    compiled_code_stays_behind_the_door,
]
