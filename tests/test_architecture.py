"""The shape of the house, held by tests: layers, purity, who writes what, and names that say nothing."""

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings

from tests.writers import writes

ROOT: Path = settings.BASE_DIR
WITHOUT_NUMBERS = ("marketing.grouping", "marketing.grouping_rules", "marketing.patterns")
WITH_NUMBERS = ("marketing.frames", "marketing.journeys", "marketing.panel_building", "marketing.demo")
PURE = (*WITH_NUMBERS, "marketing.health.checks", *WITHOUT_NUMBERS)
HEAVY = {"numba", "jax", "numpyro", "pandas", "pyarrow", "scipy", "matplotlib", "weasyprint", "pptx", "openpyxl"}
SAYS_NOTHING = {"core", "common", "utils", "util", "helpers", "misc"}
# A directory of whoever wrote the file; paths in documentation are written relative to the project.
A_MACHINES_PATH = re.compile(r"(?<![\w./-])/(?:work|root|home/\w+|Users/\w+)/")

LIST_WHAT_IS_IMPORTED = """
import importlib, pkgutil, sys
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", []), name + "."):
        if not found.name.endswith(".__main__"):
            importlib.import_module(found.name)
print(*{name.partition(".")[0] for name in sys.modules})
"""
LIST_WHAT_THE_WEB_PROCESS_IMPORTS = """
import sys, mmm_project.wsgi
from django.urls import get_resolver
get_resolver().url_patterns
print(*{name.partition(".")[0] for name in sys.modules})
"""


def local_apps() -> set[str]:
    return {app.name for app in apps.get_app_configs() if Path(app.path).parent == ROOT}


def methods_packages() -> list[str]:
    return sorted(f"{path.parent.parent.name}.methods" for path in ROOT.glob("*/methods/__init__.py"))


def imported_by(script: str, *names: str) -> set[str]:
    """Return the top-level modules that a fresh process has imported after the script."""
    command = [sys.executable, "-c", script, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@cache
def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("This is not a git checkout.")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def product_modules() -> dict[str, str]:
    """Return path below the root -> source of the modules of the product itself: no tests, no migrations."""
    paths = [path for app in (*local_apps(), "mmm_project") for path in (ROOT / app).rglob("*.py")]
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths if path.parent.name != "migrations"}


def test_every_app_has_its_place_in_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (house,) = (contract for contract in contracts["contracts"] if contract["name"] == "Imports point down")
    layers = house["layers"]
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    assert local_apps() <= placed
    assert local_apps() <= set(contracts["root_packages"])


def test_every_pure_module_is_under_the_contract_that_forbids_django() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    forbidding = [contract for contract in contracts if "django" in contract.get("forbidden_modules", ())]
    assert "attribution.methods" in methods_packages()
    assert {*PURE, *methods_packages()} <= {name for contract in forbidding for name in contract["source_modules"]}


@pytest.mark.parametrize("package", [*PURE, *methods_packages()])
def test_methods_and_frames_are_imported_without_django(package: str) -> None:
    imported = imported_by(LIST_WHAT_IS_IMPORTED, package)
    assert "numpy" in imported or package in WITHOUT_NUMBERS
    assert not imported & {"django", "rest_framework", "celery"}


def test_the_web_process_starts_without_the_numerical_libraries() -> None:
    imported = imported_by(LIST_WHAT_THE_WEB_PROCESS_IMPORTS)
    assert {"analyses", "attribution", "weightings"} <= imported
    assert not imported & HEAVY


def test_only_runs_py_writes_runs() -> None:
    found = {name for name, source in product_modules().items() if writes(source, "Run")}
    assert found == {"analyses/runs.py"}


def test_only_the_jobs_app_writes_jobs() -> None:
    found = {name.partition("/")[0] for name, source in product_modules().items() if writes(source, "Job")}
    assert found == {"jobs"}


@pytest.mark.parametrize(
    "write",
    [
        "Run.objects.create(kind='x')",
        "Run.objects.filter(pk=1).update(void=True)",
        "Run().save()",
        "models.Run.objects.all().delete()",
        "workspace.runs.all().delete()",
        "batch.run.save(update_fields=['void'])",
        "def change(run: Run) -> None:\n    run.save()",
        "def change(run: 'Run | None') -> None:\n    run.delete()",
        "def found() -> QuerySet[Run]: ...\nfound().filter(pk=1).update(void=True)",
        "old = Run.objects.filter(void=True)\nolder = old.order_by('pk')\nolder.delete()",
        "for run in Run.objects.all():\n    run.save()",
        "if row := Run.objects.first():\n    row.delete()",
        "from analyses.models import Run as Row\nRow.objects.bulk_create([])",
        "get_object_or_404(Run, pk=1).delete()",
    ],
)
def test_a_write_is_found_however_it_is_written(write: str) -> None:
    assert writes(write, "Run")


@pytest.mark.parametrize(
    "no_write",
    [
        "Run.objects.filter(pk=1).first()",
        "Import.objects.filter(run=run).update(status='failed')",
        "context = {}\ncontext.update(run=Run.objects.first())",
        "def change(batch: Import, run: Run) -> None:\n    batch.save()",
    ],
)
def test_what_does_not_write_runs_is_not_taken_for_it(no_write: str) -> None:
    assert not writes(no_write, "Run")


def test_no_module_has_a_name_that_says_nothing() -> None:
    modules = [path.relative_to(ROOT) for path in tracked_files() if path.suffix == ".py"]
    assert not [path for path in modules if SAYS_NOTHING & {part.removesuffix(".py") for part in path.parts}]


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    texts = ((path, path.read_bytes().decode(errors="replace")) for path in tracked_files())
    assert not [str(path.relative_to(ROOT)) for path, text in texts if A_MACHINES_PATH.search(text)]


@pytest.mark.parametrize("path", ["work/main/x", "root/.venv", "home/ann/data"])
def test_a_path_of_a_machine_is_recognised(path: str) -> None:
    assert A_MACHINES_PATH.search(f"see '/{path}'")
    assert not A_MACHINES_PATH.search(f"see https://example.com/{path}")
