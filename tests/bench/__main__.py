"""Measure, and write RESULTS.md: `python -m tests.bench [sections …]`, all of them by default.

Each section is kept in tests/bench/results/ as soon as it is measured; one that fails does not keep
the others from being measured. Sizes are set by variables BENCH_… of the environment.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

from tests.bench import peer_rounds, results, sections
from tests.bench.ingests import N_HISTORY, scratch

DEFAULT_ARTICLES = 20_000
LARGE_HISTORY = 1_000_000


def main() -> None:
    """Run the sections that were asked for; exit with 1 when one of them failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="tests.bench")
    parser.add_argument("sections", nargs="*", help=" ".join(sections.ORDER))
    parser.add_argument("--articles", type=int, default=DEFAULT_ARTICLES, help="of the peers")
    parser.add_argument("--rounds", type=int, default=peer_rounds.ROUNDS)
    parser.add_argument("--slow-rounds", type=int, default=peer_rounds.ROUNDS_OF_SLOW)
    parser.add_argument("--into", type=Path, default=results.HERE, metavar="DIR")
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(sections.ORDER)
    if unknown:
        parser.error(
            f"no section {' '.join(sorted(unknown))}; there are {' '.join(sections.ORDER)}"
        )
    began, failed = time.perf_counter(), []
    with scratch():
        for name in arguments.sections or sections.ORDER:
            try:
                run_section(name, arguments)
            except Exception:
                traceback.print_exc()
                failed.append(name)
            results.assemble(sections.ORDER, arguments.into)
    peer_rounds.say(f"everything took {(time.perf_counter() - began) / 60:.1f} minutes")
    sys.stdout.write(f"{results.report(arguments.into)} is written\n")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def run_section(name: str, arguments: argparse.Namespace) -> None:
    """Measure a section and keep it."""
    peer_rounds.say(f"section {name}")
    began = time.perf_counter()
    command = " ".join([*sizes(), f"python -m tests.bench {name}"])
    # The run against a longer history stands beside that against a million.
    is_long = name == "scheduled" and N_HISTORY > LARGE_HISTORY
    stored = f"{name}-{N_HISTORY}" if is_long else name
    if name == "peers":
        of_peers = arguments.articles, arguments.rounds, arguments.slow_rounds
        command += " --articles {} --rounds {} --slow-rounds {}".format(*of_peers)
        stored = f"peers-{arguments.articles}"
        measured = peer_rounds.measure(*of_peers)
    else:
        measured = iter([sections.measured(name)])
    for section in measured:
        minutes = (time.perf_counter() - began) / 60
        results.store(stored, section, command, minutes, arguments.into)
    peer_rounds.say(f"section {name} took {(time.perf_counter() - began) / 60:.1f} minutes")


def sizes() -> list[str]:
    """Return the sizes that the environment sets, as they stand before a command."""
    named = sorted(name for name in os.environ if name.startswith("BENCH_"))
    return [f"{name}={os.environ[name]}" for name in named if name != "BENCH_SCRATCH"]


if __name__ == "__main__":
    main()
