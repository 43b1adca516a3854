"""Find, in the syntax of a module, the calls that write rows of a model."""

import ast
import re
from collections.abc import Iterator

_WRITES = {"create", "get_or_create", "update_or_create", "bulk_create", "update", "bulk_update", "delete", "save"}
WRITES = frozenset(_WRITES | {f"a{name}" for name in _WRITES})


def writes(source: str, model: str) -> list[int]:
    """Return the lines that write rows of `model`.

    What counts is where the chain before the call begins: at the model itself, at a name or a function that is
    annotated with it or assigned from such a chain, or at an attribute that is called like a relation to it. Names are
    followed through the module without regard to scopes, so this errs on the side of finding too much.
    """
    tree = ast.parse(source)
    about = _names_about(tree, model)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return sorted(
        call.lineno
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in WRITES
        and _is_about(call.func.value, about, model)
    )


def _names_about(tree: ast.AST, model: str) -> set[str]:
    about = {model}
    about |= {name for name, annotation in _annotated(tree) if annotation and _mentions(annotation, model)}
    while (
        grown := {
            name
            for targets, value in _assigned(tree)
            if _is_about(value, about, model)
            for target in targets
            for name in _names_in(target)
        }
        - about
    ):
        about |= grown
    return about


def _annotated(tree: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node.returns
        elif isinstance(node, ast.arg):
            yield node.arg, node.annotation
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.annotation
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.asname, ast.Name(alias.name)) for alias in node.names if alias.asname)


def _assigned(tree: ast.AST) -> Iterator[tuple[list[ast.expr], ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield node.targets, node.value
        elif isinstance(node, ast.NamedExpr):
            yield [node.target], node.value
        elif isinstance(node, ast.For | ast.AsyncFor | ast.comprehension):
            yield [node.target], node.iter


def _mentions(annotation: ast.expr, model: str) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id == model)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and model in re.findall(r"\w+", node.value))
        for node in ast.walk(annotation)
    )


def _names_in(target: ast.expr) -> Iterator[str]:
    return (node.id for node in ast.walk(target) if isinstance(node, ast.Name))


def _is_about(node: ast.expr, about: set[str], model: str) -> bool:
    """Whether a chain such as `Run.objects.filter(...)[0]` or `workspace.runs.all()` begins at the model."""
    relations = {model.lower(), f"{model.lower()}s", f"{model.lower()}_set", f"_{model.lower()}"}
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Attribute):
            if node.attr in relations or node.attr == model:
                return True
            node = node.value
        elif isinstance(node, ast.Call):
            if any(isinstance(part, ast.Name) and part.id == model for part in node.args):
                return True  # cast(Run, ...), apps.get_model(Run)
            node = node.func
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            return False
    return node.id in about
