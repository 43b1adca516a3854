"""The study's process."""

from benchmarks.harness import serve_step
from benchmarks.interactions.studying import study

if __name__ == "__main__":
    serve_step({"study": study})
