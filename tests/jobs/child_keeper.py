"""A process of its own that waits for a child, for a test to kill: `python -m tests.jobs.child_keeper`.

It prints the phases that the child reports. Like a worker, it starts the child from a thread.
"""

import threading

import django


class Printing:
    """Progress that is printed and needs no database."""

    def __init__(self) -> None:
        from jobs.models import Job

        self.job = Job(pk=1, fence=1)

    def __call__(self, phase: str, _fraction: float) -> None:
        print(phase, flush=True)  # noqa: T201 (what the test reads)


def main() -> None:
    from jobs.children import compute_in_child

    program = "tests.jobs.child_programs:sleep"
    compute_in_child(program=program, question={}, arrays={}, progress=Printing())  # type: ignore[arg-type]


if __name__ == "__main__":
    django.setup()
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
