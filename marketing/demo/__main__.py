"""Print the true values of a demo world as Markdown: `python -m marketing.demo 2026-06-30 [--seed N]`."""

import argparse
import datetime
import sys

from marketing.demo import build_world
from marketing.demo.report import truth_markdown
from marketing.demo.world import DEFAULT_SEED

parser = argparse.ArgumentParser(prog="python -m marketing.demo", description="True values of a demo world.")
parser.add_argument("end", type=datetime.date.fromisoformat, help="last day of the world, for example 2026-06-30")
parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
arguments = parser.parse_args()
sys.stdout.write(truth_markdown(build_world(arguments.end, seed=arguments.seed)))
