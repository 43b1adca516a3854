"""What is restored shows what was lost, to the byte. `tests/stack/test_backup.py` does the same on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from operations.backups.keys import NAMES
from tests.operations import backup_world


@pytest.mark.full
@pytest.mark.django_db(transaction=True)
def test_a_restored_installation_shows_and_computes_what_the_lost_one_did(tmp_path: Path, settings: Settings) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"  # as the other process has it
    backup_world.live(tmp_path)
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    keys = {name: getattr(django_settings, name) for name in NAMES}
    elsewhere = tmp_path / "elsewhere"
    subprocess.run(
        [sys.executable, "-m", backup_world.__name__, "restore", str(tmp_path)],
        env=environment | keys | {"DATA_DIR": str(elsewhere), "MEDIA_ROOT": str(elsewhere / "files")},
        cwd=django_settings.BASE_DIR,
        check=True,
        timeout=120,
    )
    assert backup_world.differences(tmp_path) == {}
    assert (elsewhere / "files" / "snapshots").is_dir()  # built again, for the run that was under way
