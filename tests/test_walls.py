"""The floors of the house, kept by reading its source: who imports whom, and who may touch what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import estimator

HOUSE = Path(estimator.__file__).resolve().parent
MODULES = sorted(path for path in HOUSE.rglob("*.py") if "_data" not in path.parts)

# From the ground up. A room imports from floors below its own and, on its own, from rooms named before it.
FLOORS = (
    (
        "tuples",
        "errors",
        "provenance",
        "arrays",
        "once",
        "breakdown",
        "unit_factors",
        "textfile",
        "version",
        "formulas",
    ),
    ("units", "schema", "records", "presets"),
    ("inputs",),
    ("case",),
    ("lower",),
    ("shown", "estimate"),
    ("askers",),
    ("report",),
    ("cli",),
)
# Every room that is not named above shapes questions and calls `evaluate`, or reads its answers.
ASKERS = FLOORS.index(("askers",))
# What only these may import; a name stands for itself and all below it.
KEPT = {
    "pint": {"units"},
    "tomli": {"records", "inputs"},
    "pydantic": {"inputs"},
    "pydantic_core": {"inputs"},
    "click": {"cli"},
    "rich": {"cli", "report"},
    "dask": {"workers"},
    "distributed": {"workers"},
}
FORMULA_IMPORTS = {"__future__", "numpy", "dataclasses", "typing", "collections.abc"}


def dotted(path: Path) -> str:
    """``estimator.lower.asked`` for the file, ``estimator.lower`` for a package."""
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """The first name below the package: a module or a package of them."""
    return module.split(".")[1] if "." in module else ""


def floor(name: str) -> tuple[int, int]:
    for level, rooms in enumerate(FLOORS):
        if name in rooms:
            return level, rooms.index(name)
    return ASKERS, 0


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module that a file imports, at its top or inside a function, with the line."""
    package = dotted(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if base == "estimator" or is_module(inner) else base), node.lineno


@cache
def is_module(name: str) -> bool:
    place = HOUSE.parent.joinpath(*name.split("."))
    return name.startswith("estimator.") and (place.with_suffix(".py").is_file() or place.is_dir())


def calls(path: Path) -> Iterator[tuple[str, int]]:
    """Every name that is called or read as an attribute of a module, like ``os.environ``, with its line."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}", node.lineno


def named(path: Path) -> str:
    return dotted(path).removeprefix("estimator.")


every_module = pytest.mark.parametrize("path", MODULES, ids=named)


def test_the_house_is_found() -> None:
    assert len(MODULES) > 30
    assert {"formulas", "lower", "cli"} <= {room(dotted(path)) for path in MODULES}


@every_module
def test_a_room_imports_only_from_floors_below(path: Path) -> None:
    own = room(dotted(path))
    if own in ("", "__main__"):
        pytest.skip("the face of the package shows every floor")
    for module, line in imports(path):
        other = room(module)
        if not module.startswith("estimator") or other == own:
            continue
        assert other, f"{path}:{line} imports the face of the package; import the room itself"
        below = floor(other) < floor(own) or (floor(other)[0] == floor(own)[0] == ASKERS)
        assert below, f"{path}:{line}: '{own}' imports '{other}', which is not below it"


def test_askers_do_not_import_each_other_in_a_circle() -> None:
    edges: dict[str, set[str]] = {}
    for path in MODULES:
        own = room(dotted(path))
        if own and floor(own)[0] == ASKERS:
            others = {room(module) for module, _ in imports(path) if module.startswith("estimator.")}
            edges.setdefault(own, set()).update(o for o in others if floor(o)[0] == ASKERS and o != own)
    while free := [name for name, others in edges.items() if not others & edges.keys()]:
        for name in free:
            del edges[name]
    assert not edges, f"these import each other: {', '.join(edges)}"


@every_module
def test_only_its_own_room_imports_a_library(path: Path) -> None:
    for module, line in imports(path):
        library = module.split(".")[0]
        assert room(dotted(path)) in KEPT.get(library, {room(dotted(path))}), (
            f"{path}:{line} imports {library}"
        )


@pytest.mark.parametrize("path", sorted((HOUSE / "formulas").rglob("*.py")), ids=named)
def test_formulas_import_numpy_and_the_ground_floor_alone(path: Path) -> None:
    allowed = FORMULA_IMPORTS | {
        "estimator.arrays",
        "estimator.breakdown",
        "estimator.once",
        "estimator.tuples",
    }
    for module, line in imports(path):
        fine = module in allowed or module.startswith(("estimator.formulas", "numpy."))
        assert fine, f"{path}:{line}: a formula imports {module}"


@every_module
def test_only_presets_reads_the_records(path: Path) -> None:
    if room(dotted(path)) in ("presets", "records"):
        return
    reads_rows = named(path) == "measured.reading"  # a file that the user names, and no record
    for name, line in calls(path):
        if reads_rows:
            break
        assert name not in ("csv.DictReader", "csv.reader"), f"{path}:{line} uses {name}"
    for node in ast.walk(tree(path)):
        literal = isinstance(node, ast.Constant) and node.value in ("_data", "presets/")
        assert not literal, f"{path}:{getattr(node, 'lineno', 0)} names the folder of the records"


@every_module
def test_nothing_prints_asks_or_reads_the_environment(path: Path) -> None:
    barred = {"print", "input", "breakpoint", "eval", "exec", "os.environ", "os.getenv", "os.environb"}
    for name, line in calls(path):
        assert name not in barred, f"{path}:{line} uses {name}"


@every_module
def test_a_module_opens_with_one_sentence(path: Path) -> None:
    words = ast.get_docstring(tree(path)) or ""
    first = words.split("\n\n")[0].strip()
    assert first.endswith("."), f"{path} opens with {first!r}"
