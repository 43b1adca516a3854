"""deploy/: containers, units and `make stack` start the same processes, and the files say what the code reads."""

import ast
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command

from operations.stack import PROCESSES
from tests.test_architecture import local_apps

ROOT: Path = settings.BASE_DIR
DEPLOY = ROOT / "deploy"
UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.is_file())
READS_THE_ENVIRONMENT = ("mmm_project/settings.py", "deploy/gunicorn.conf.py")
NOT_OF_THE_PRODUCT = {"DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR", "PGOPTIONS", "WEB_CONCURRENCY"}


# --- deploy/run -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Run deploy/run with a python that only says what it was called with; return its words."""
    fake = tmp_path / "python"
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)

    def run(process: str, **variables: str) -> list[str]:
        env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}", **variables}
        command = [str(DEPLOY / "run"), process]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=True, cwd="/").stdout.split()

    return run


def test_every_queue_has_a_worker_and_only_known_processes_start(run: Any) -> None:
    queues = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    workers = {name: run(name) for name in PROCESSES if name not in ("web", "beat")}
    assert workers.keys() == queues
    for queue, words in workers.items():
        assert words[words.index("--queues") + 1] == queue
        assert words[words.index("--pool") + 1] == "threads"
    assert run("beat")[-4:] == ["beat", "--loglevel", "WARNING", "--pidfile="]
    assert run("web") == ["-m", "gunicorn", "--config", "deploy/gunicorn.conf.py", "mmm_project.wsgi:application"]
    with pytest.raises(subprocess.CalledProcessError) as refused:
        run("worker")
    assert refused.value.returncode == 2
    assert refused.value.stderr.startswith("usage: deploy/run web | ticks")


def test_workers_have_the_threads_that_the_settings_have(run: Any) -> None:
    def threads(process: str, **variables: str) -> int:
        words = run(process, **variables)
        return int(words[words.index("--concurrency") + 1])

    assert threads("default") == _default_of("JOBS_AT_ONCE")
    assert threads("default", JOBS_AT_ONCE="7") == 7
    assert threads("fits") == max((os.cpu_count() or 1) // 2, 1)
    assert threads("fits", JOB_CHILD_SLOTS="5") == 5


@pytest.mark.django_db
def test_stack_asks_for_what_it_needs() -> None:
    with pytest.raises(CommandError, match="Set DATABASE_URL"):
        call_command("stack", skip_checks=True)


# --- compose.yaml -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return loaded


def test_containers_run_what_make_stack_runs(compose: dict[str, Any]) -> None:
    ours = {name: one for name, one in compose["services"].items() if "build" in one}
    assert {*PROCESSES, "migrate", "web-2"} == ours.keys()
    assert all(one["command"] == ["deploy/run", name.removesuffix("-2")] for name, one in ours.items())


def test_every_container_has_a_limit_and_all_that_stay_are_looked_after(compose: dict[str, Any]) -> None:
    for name, one in compose["services"].items():
        assert re.fullmatch(r"\d+[mg]", one["mem_limit"]), name
        if name != "migrate":
            assert one["restart"] == "unless-stopped", name
            assert one["healthcheck"]["test"], name
        for volume in one.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (DEPLOY / source).exists() or source == "./certificates"
        assert set(one.get("depends_on", ())) <= compose["services"].keys()


def test_the_worker_of_fits_has_room_for_its_children(compose: dict[str, Any]) -> None:
    example = _example()
    needed = int(example["JOB_CHILD_SLOTS"]) * int(example["JOB_CHILD_MEMORY_MB"]) + 1024
    assert _mebibytes(compose["services"]["fits"]["mem_limit"]) >= needed
    (drop_in,) = (DEPLOY / "systemd/mmm-worker@fits.service.d").iterdir()
    (limit,) = re.findall(r"^MemoryMax=(\w+)$", drop_in.read_text(), re.MULTILINE)
    assert _mebibytes(limit) >= needed
    for name in ("ticks", "default"):
        assert _mebibytes(compose["services"][name]["mem_limit"]) > int(example["WORKER_MEMORY_MB"])


def test_a_process_that_has_fallen_silent_is_found_out(tmp_path: Path) -> None:
    file = tmp_path / "alive"

    def is_alive() -> bool:
        env = {"PATH": os.environ["PATH"], "HEARTBEAT_FILE": str(file)}
        return subprocess.run([str(DEPLOY / "alive")], env=env, check=False).returncode == 0

    assert not is_alive()
    file.touch()
    assert is_alive()
    os.utime(file, (0, file.stat().st_mtime - 300))
    assert not is_alive()


# --- Dockerfile -------------------------------------------------------------------------------------------------------


def _in_the_image() -> set[str]:
    """The paths below the root that the build sees."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    return {line[1:] for line in lines if line.startswith("!")}


def test_the_image_has_what_the_product_needs(tmp_path: Path) -> None:
    assert local_apps() <= _in_the_image()
    for name in _in_the_image():
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, tmp_path / name)
    env = {
        "PATH": os.environ["PATH"],
        "DATA_DIR": str(tmp_path / "data"),
        "REDIS_URL": "redis://none",
        "SECRET_KEY": "none",
    }
    command = [sys.executable, "manage.py", "collectstatic", "--dry-run", "--no-input", "--verbosity", "0"]
    subprocess.run(command, cwd=tmp_path, env=env, check=True, timeout=60)


def test_the_image_has_the_libraries_of_setup_and_runs_without_root() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    needed = re.findall(r"^need (lib\S+) has_library", (ROOT / "scripts/setup").read_text(), re.MULTILINE)
    assert len(needed) >= 3
    assert all(library in text for library in needed)
    assert text.index("USER mmm") > text.rindex("RUN")
    for word in re.findall(r"deploy/[\w.]+", text):
        assert (ROOT / word).exists(), word
    assert 'CMD ["deploy/run", "web"]' in text


# --- systemd ----------------------------------------------------------------------------------------------------------


def test_units_run_what_make_stack_runs() -> None:
    started = set()
    for unit in UNITS:
        for command in re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE):
            assert command.startswith("/srv/mmm/deploy/run "), unit
            started.add(command.rpartition(" ")[2])
    target = (DEPLOY / "systemd/mmm.target").read_text()
    instances = set(re.findall(r"mmm-worker@(\w+)\.service", target))
    assert started - {"%i", "migrate", "static"} | instances == set(PROCESSES)
    assert set(re.findall(r"mmm-(web@8000|web@8001|beat)\.service", target)) == {"web@8000", "web@8001", "beat"}


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_units_are_limited_and_hardened(unit: Path) -> None:
    lines = set(unit.read_text().splitlines())
    assert {"NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "User=mmm"} <= lines
    assert {"EnvironmentFile=/etc/mmm/env", "StateDirectory=mmm"} <= lines
    assert any(line.startswith("MemoryMax=") for line in lines)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    for unit in UNITS:
        (tmp_path / unit.name).write_text(unit.read_text().replace("/srv/mmm", str(ROOT)))
    shutil.copytree(DEPLOY / "systemd/mmm-worker@fits.service.d", tmp_path / "mmm-worker@fits.service.d")
    for instance in re.findall(r"mmm-\w+@\w+\.service", (DEPLOY / "systemd/mmm.target").read_text()):
        shutil.copy(tmp_path / re.sub(r"@\w+", "@", instance), tmp_path / instance)
    units = [str(path) for path in tmp_path.iterdir() if path.is_file() and "@." not in path.name]
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *units]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# --- nginx ------------------------------------------------------------------------------------------------------------


def test_nginx_lets_the_largest_file_through_and_says_who_asks() -> None:
    text = (DEPLOY / "nginx.conf").read_text()
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", text)
    assert int(megabytes) > float(str(_default_of("MAX_FILE_MB")))
    assert "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;" in text
    assert "proxy_set_header X-Forwarded-Proto $scheme;" in text
    assert re.search(r"location = /metrics \{\s*return 404;", text)


@pytest.mark.skipif(
    shutil.which("nginx") is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)
def test_nginx_understands_its_configuration(tmp_path: Path) -> None:
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(
        [*make, "-subj", "/CN=mmm.example.com", "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
        timeout=30,
    )
    text = (DEPLOY / "nginx.conf").read_text()
    for there, here in (
        ("/etc/nginx/certificates", str(tmp_path)),
        ("/var/run/nginx.pid", str(tmp_path / "pid")),
        ("server web:", "server 127.0.0.1:"),  # names that only containers know
        ("server web-2:", "server 127.0.0.2:"),
    ):
        assert there in text
        text = text.replace(there, here)
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(text)
    command = ["nginx", "-t", "-q", "-c", str(configuration), "-p", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


# --- The environment --------------------------------------------------------------------------------------------------


@cache
def _reads() -> dict[str, ast.Call]:
    """Variable -> the call that reads it, in the settings and in the configuration of the web server."""
    found = {}
    for name in READS_THE_ENVIRONMENT:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            called, first = ast.unparse(node.func), node.args[0]
            if re.fullmatch(r"env\.\w+|os\.environ\.(get|setdefault)", called) and isinstance(first, ast.Constant):
                found[str(first.value)] = node
    return found


def _default_of(variable: str) -> str | int | float | bool | None:
    """The default, where it is written as a number, a text or a truth; else None."""
    call = _reads()[variable]
    defaults = [keyword.value for keyword in call.keywords if keyword.arg == "default"] or call.args[1:2]
    return defaults[0].value if defaults and isinstance(defaults[0], ast.Constant) else None  # type: ignore[return-value]


def _example(*, also_defaults: bool = False) -> dict[str, str]:
    """The variables of env.example that are set; with `also_defaults`, those that are only named as well."""
    pattern = r"^#?([A-Z][A-Z_]+)=(.*)$" if also_defaults else r"^([A-Z][A-Z_]+)=(.*)$"
    pairs = re.findall(pattern, (DEPLOY / "env.example").read_text(), re.MULTILINE)
    assert len(pairs) == len(dict(pairs)), "A variable stands there twice."
    return dict(pairs)


def _of_compose() -> set[str]:
    return set(re.findall(r"\$\{([A-Z_]+)", (DEPLOY / "compose.yaml").read_text()))


def _of_run() -> set[str]:
    return {name for file in ("run", "alive") for name in re.findall(r"\$\{([A-Z_]+)", (DEPLOY / file).read_text())}


def test_the_example_names_every_variable_that_is_read_and_no_other() -> None:
    read = _reads().keys() - NOT_OF_THE_PRODUCT
    assert len(read) > 40
    assert _example(also_defaults=True).keys() == read | _of_compose()
    assert _of_run() - NOT_OF_THE_PRODUCT <= read


def test_the_manual_names_every_variable_that_is_read_and_no_other() -> None:
    manual = (ROOT / "docs/operations.md").read_text()
    table = manual[manual.index("## Settings") :].partition("\n###")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == _reads().keys() - NOT_OF_THE_PRODUCT


def test_the_defaults_in_the_example_are_those_of_the_code() -> None:
    set_in_it = _example()
    for name, said in _example(also_defaults=True).items():
        if name in set_in_it or name in _of_compose():
            continue
        default = _default_of(name)
        if isinstance(default, int | float) and not isinstance(default, bool):
            assert float(said) == default, name
        elif isinstance(default, str) and default and name != "LOG_FORMAT":
            assert said == default, name


def _mebibytes(limit: str) -> int:
    return int(limit[:-1]) * {"m": 1, "g": 1024}[limit[-1].lower()]
