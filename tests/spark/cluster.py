"""A standalone Spark cluster on loopback: a master and workers, each a process that is ended with the tests."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0


def obstacle() -> str:
    """Why there can be no cluster here; "" if there can."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed: uv sync --extra spark."
    if not shutil.which("java") and not Path(os.environ.get("JAVA_HOME", "/nowhere"), "bin", "java").exists():
        return "There is no Java: install 17 or newer, or set JAVA_HOME."
    return ""


@contextmanager
def cluster(folder: Path, *, workers: int = 2, memory: str = "2g") -> Iterator[str]:
    """Start a master with so many workers of one core each; yield its address. They write into the folder."""
    environment = os.environ | {
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_MASTER_HOST": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder / "local"),
        "SPARK_WORKER_DIR": str(folder / "work"),
    }
    with ExitStack() as stack:
        ports = ("--port", "0", "--webui-port", "0", "--host", LOOPBACK)
        line = stack.enter_context(_started("master.Master", ports, environment, "Starting Spark master at "))
        master = line.split("Starting Spark master at ")[1].split()[0]
        for _ in range(workers):
            of_worker = ("--cores", "1", "--memory", memory, *ports, master)
            stack.enter_context(
                _started("worker.Worker", of_worker, environment, "Successfully registered with master")
            )
        yield master


@contextmanager
def _started(name: str, arguments: tuple[str, ...], environment: Mapping[str, str], ready: str) -> Iterator[str]:
    """Start a process of Spark's; yield the line of its log that says it is ready. It is killed in the end."""
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    command = [str(Path(spec.origin).with_name("bin") / "spark-class"), f"org.apache.spark.deploy.{name}", *arguments]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        # A process that never gets ready is killed, and its log ends.
        alarm = threading.Timer(START_SECONDS, process.kill)
        alarm.start()
        try:
            log = []
            for line in process.stderr:
                log.append(line)
                if ready in line:
                    break
            else:
                raise RuntimeError(f"Spark's {name} did not start:\n{''.join(log[-20:])}")
            alarm.cancel()
            reader = threading.Thread(target=process.stderr.read)  # so that it can go on writing
            reader.start()
            yield line
            process.terminate()
            reader.join()
        finally:
            alarm.cancel()
            process.kill()
