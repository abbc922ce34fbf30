"""Which tests the source declares, read from the syntax tree without running anything."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from botarmy.checks import FileText
from sandbox.checks.source import parse

BASES = frozenset(
    [
        "unittest.TestCase",
        "unittest.case.TestCase",
        "unittest.IsolatedAsyncioTestCase",
        "unittest.async_case.IsolatedAsyncioTestCase",
    ]
)


@dataclass
class Class:
    """A class of the tree: its bases as dotted names, its test methods and their lines."""

    module: str
    name: str
    bases: list[str]
    methods: dict[str, int]


@dataclass
class Module:
    """A module of the tree: what its names mean."""

    path: str
    classes: dict[str, Class] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Declared:
    """The tests that the source declares.

    Attributes:
        places: test id -> "file:line".
        notes: sentences about what makes tests vanish or the count uncertain.
        files: test files.
    """

    places: dict[str, str]
    notes: tuple[str, ...]
    files: tuple[str, ...]


def is_test_file(path: str) -> bool:
    """Return whether unittest's discovery takes a file for tests."""
    name = PurePosixPath(path).name
    return name.startswith("test") and name.endswith(".py")


def module_name(path: str) -> str:
    """Return the dotted name of a file."""
    parts = PurePosixPath(path).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def declared_tests(files: Iterable[FileText]) -> Declared:
    """Return the declared tests of a tree's Python files; a file that cannot be parsed declares none."""
    modules = {}
    for file in files:
        tree = parse(file.content) if file.path.endswith(".py") else None
        if tree is not None:
            modules[module_name(file.path)] = _read(file, tree)
    places: dict[str, str] = {}
    notes: list[str] = []
    for module in modules.values():
        if not is_test_file(module.path):
            continue
        notes += module.notes
        for found in _visible_classes(module, modules):
            places |= _tests_of(found, modules)
    test_files = tuple(module.path for module in modules.values() if is_test_file(module.path))
    return Declared(places, tuple(dict.fromkeys(notes)), test_files)


def _read(file: FileText, tree: ast.Module) -> Module:
    module = Module(file.path)
    name = module_name(file.path)
    package = name if file.path.endswith("/__init__.py") else name.rpartition(".")[0]
    for node in _statements(tree):
        if isinstance(node, ast.ClassDef):
            _read_class(node, module, name, "")
        elif isinstance(node, ast.Import):
            for alias in node.names:
                module.names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            _read_import(node, module, package)
        elif isinstance(node, ast.FunctionDef) and node.name == "load_tests":
            module.notes.append(f"{file.path}:{node.lineno}: load_tests replaces the collection of tests; remove it")
    return module


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a body, those inside if, try and with included."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            yield from _statements(child)
        elif isinstance(child, ast.stmt):
            yield child


def _read_import(node: ast.ImportFrom, module: Module, package: str) -> None:
    parts = package.split(".") if package else []
    above = parts[: len(parts) - (node.level - 1)] if node.level else []
    source = ".".join([*above, *([node.module] if node.module else [])])
    for alias in node.names:
        if alias.name == "*":
            module.stars.append(source)
        else:
            module.names[alias.asname or alias.name] = f"{source}.{alias.name}"


def _read_class(node: ast.ClassDef, module: Module, owner: str, outer: str) -> None:
    name = f"{outer}{node.name}"
    methods: dict[str, int] = {}
    for child in _statements(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name.startswith("test"):
            if child.name in methods:
                module.notes.append(
                    f"{module.path}:{child.lineno}: {name}.{child.name} is defined again (first in line "
                    f"{methods[child.name]}), so the first never runs; give it another name"
                )
            methods[child.name] = child.lineno
        elif isinstance(child, ast.ClassDef):
            _read_class(child, module, owner, f"{name}.")
    if name in module.classes:
        module.notes.append(
            f"{module.path}:{node.lineno}: the class {name} is defined again, so its first tests never run"
        )
    module.classes[name] = Class(owner, name, [_dotted(base) for base in node.bases], methods)


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Subscript):
        return _dotted(node.value)
    return "?"


def _resolve(name: str, module: Module, modules: dict[str, Module]) -> Class | str:
    """Return the class of the tree that a name means in a module, else its full dotted name."""
    if name in module.classes:
        return module.classes[name]
    first, _, rest = name.partition(".")
    full = ".".join(part for part in (module.names.get(first, first), rest) if part)
    for owner, other in modules.items():
        inner = full.removeprefix(f"{owner}.")
        if inner in other.classes and inner != full:
            return other.classes[inner]
        if inner in other.names and inner != full and other is not module:
            return _resolve(inner, other, modules)
    return _from_stars(name, module, modules) or full


def _from_stars(name: str, module: Module, modules: dict[str, Module]) -> Class | str:
    """Return what a name means by `from x import *`; empty when none brings it."""
    for star in module.stars:
        if star in modules and name in modules[star].classes:
            return modules[star].classes[name]
        if f"{star}.{name}" in BASES:
            return f"{star}.{name}"
    return ""


def _line_of_bases(
    found: Class, modules: dict[str, Module], seen: frozenset[str] = frozenset()
) -> Iterator[Class | str]:
    """Yield a class and all it inherits from."""
    yield found
    key = f"{found.module}.{found.name}"
    if key in seen:
        return
    for base in found.bases:
        resolved = _resolve(base, modules[found.module], modules)
        if isinstance(resolved, Class):
            yield from _line_of_bases(resolved, modules, seen | {key})
        else:
            yield resolved


def _tests_of(found: Class, modules: dict[str, Module]) -> dict[str, str]:
    line = list(_line_of_bases(found, modules))
    if not any(base in BASES for base in line if isinstance(base, str)):
        return {}
    return {
        f"{found.module}.{found.name}.{method}": f"{modules[base.module].path}:{number}"
        for base in reversed(line)
        if isinstance(base, Class)
        for method, number in base.methods.items()
    }


def _visible_classes(module: Module, modules: dict[str, Module]) -> Iterator[Class]:
    """Yield the classes that unittest finds in a module: its own at the top, and imported ones."""
    yield from (found for name, found in module.classes.items() if "." not in name)
    for name in module.names:
        resolved = _resolve(name, module, modules)
        if isinstance(resolved, Class):
            yield resolved
    for star in module.stars:
        if star in modules:
            yield from (found for name, found in modules[star].classes.items() if "." not in name and name[0] != "_")
