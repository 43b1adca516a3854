"""Tests, a process for each core: linear algebra in threads of its own would have them wait for each other."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is imported
