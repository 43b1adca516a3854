"""Whether the database is as the code of this process expects it."""

import importlib
import importlib.util
import pkgutil
from functools import cache as once

from django.apps import apps
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


def missing_migrations() -> list[str]:
    """Return the migrations that are not applied, "app.name", in order of their names. Raises DatabaseError."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in _migrations_there_are() if (app, name) not in applied)


@once
def _migrations_there_are() -> frozenset[tuple[str, str]]:
    """The migrations of the code that this process runs, by their files: to load them all would take seconds."""
    found = set()
    for app in apps.get_app_configs():
        module, _ = MigrationLoader.migrations_module(app.label)
        if module is not None and importlib.util.find_spec(module) is not None:
            package = importlib.import_module(module)
            names = (name for _, name, is_package in pkgutil.iter_modules(package.__path__) if not is_package)
            found |= {(app.label, name) for name in names if name[0] not in "_~"}
    return frozenset(found)
