"""Every action that the code may record, read off its source: `record(action=...)` wherever it is called."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from tests.test_architecture import product_modules

RECORDS = "record"
MOST_STEPS = 5  # from a call of `record` back to where its action is written


class Unknown(Exception):
    """An action that cannot be read off the code: write it out, or teach this module how it comes about."""


@dataclass
class Module:
    """A file of the product, and what its names stand for."""

    path: str
    tree: ast.Module

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        return {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    @cached_property
    def constants(self) -> dict[str, str]:
        """Names of the module that stand for a text."""
        return {
            target.id: value.value
            for target, value in _assignments(self.tree.body)
            if isinstance(value, ast.Constant) and isinstance(value.value, str)
        }

    def calls(self, name: str) -> list[ast.Call]:
        return self._calls.get(name, [])

    @cached_property
    def _calls(self) -> dict[str, list[ast.Call]]:
        found: dict[str, list[ast.Call]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                found.setdefault(_name(node.func), []).append(node)
        return found

    def function_around(self, node: ast.AST) -> ast.FunctionDef | None:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef):
                return node
        return None


@cache
def the_product() -> list[Module]:
    return [Module(path, ast.parse(source)) for path, source in product_modules().items()]


def recorded_actions(modules: list[Module]) -> dict[str, str]:
    """Return action -> the file that records it. Raises Unknown for a call whose action cannot be read off."""
    found: dict[str, str] = {}
    for module in modules:
        for call in module.calls(RECORDS):
            keywords = {keyword.arg: keyword.value for keyword in call.keywords}
            if "action" in keywords:
                for action in _texts(keywords["action"], module, modules):
                    found.setdefault(action, module.path)
    return found


def _texts(value: ast.expr, module: Module, modules: list[Module], steps: int = 0) -> set[str]:
    """Return every text that an expression may stand for."""
    if steps > MOST_STEPS:
        raise Unknown(f"{module.path}:{value.lineno}: {ast.unparse(value)}")
    match value:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, module, modules, steps) | _texts(other, module, modules, steps)
        case ast.JoinedStr(values=parts):
            texts = {""}
            for part in parts:
                inner = part.value if isinstance(part, ast.FormattedValue) else part
                texts = {begun + more for begun in texts for more in _texts(inner, module, modules, steps)}
            return texts
        case ast.Name(id=name):
            return _texts_of_name(name, value, module, modules, steps)
    raise Unknown(f"{module.path}:{value.lineno}: {ast.unparse(value)}")


def _texts_of_name(name: str, at: ast.expr, module: Module, modules: list[Module], steps: int) -> set[str]:
    function = module.function_around(at)
    if function is not None and name in _parameters(function):
        return _texts_passed(function, name, module, modules, steps + 1)
    if function is not None and (values := _assigned(function, name)):
        return {text for value in values for text in _texts(value, module, modules, steps + 1)}
    if name in module.constants:
        return {module.constants[name]}
    imported = {
        other.constants[alias.name]
        for node in module.tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if (alias.asname or alias.name) == name
        for other in modules
        if other.path == f"{(node.module or '').replace('.', '/')}.py" and alias.name in other.constants
    }
    if not imported:
        raise Unknown(f"{module.path}:{at.lineno}: {name}")
    return imported


def _texts_passed(function: ast.FunctionDef, name: str, module: Module, modules: list[Module], steps: int) -> set[str]:
    """Return what a function's callers give it under this name; those in other modules count if it is not private."""
    texts: set[str] = set()
    callers = [module] if function.name.startswith("_") else modules
    for caller in callers:
        for call in caller.calls(function.name):
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            given |= dict(zip(_parameters(function), call.args, strict=False))
            if name in given:
                texts |= _texts(given[name], caller, modules, steps)
    if not texts:
        raise Unknown(f"{module.path}:{function.lineno}: nobody gives {function.name} its {name}")
    return texts


def _assigned(function: ast.FunctionDef, name: str) -> list[ast.expr]:
    """Return what a local name of the function is given."""
    return [value for target, value in _assignments(ast.walk(function)) if target.id == name]


def _assignments(nodes: Iterable[ast.AST]) -> Iterator[tuple[ast.Name, ast.expr]]:
    """Yield names and what they are given, also several at once."""
    for node in nodes:
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target, node.value
            elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
                yield from ((name, value) for name, value in pairs if isinstance(name, ast.Name))


def _parameters(function: ast.FunctionDef) -> list[str]:
    arguments = function.args
    return [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def _name(function: ast.expr) -> str:
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
