"""Measure, and write RESULTS.md: `python -m tests.bench [sections …]`, all of them by default.

Each section is kept in tests/bench/results/ as soon as it is measured.
"""

from __future__ import annotations

import argparse
import sys

from tests.bench import peer_rounds, results, sections

DEFAULT_ARTICLES = 20_000
SIZES = (
    *("BENCH_INGEST_ARTICLES", "BENCH_INGEST_ROUNDS"),
    *("BENCH_HISTORY", "BENCH_GROWTH", "BENCH_TEMPLATE"),
)


def main() -> None:
    """Run the sections that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], prog="tests.bench")
    parser.add_argument("sections", nargs="*", help=" ".join(sections.ORDER))
    parser.add_argument("--articles", type=int, default=DEFAULT_ARTICLES)
    parser.add_argument("--rounds", type=int, default=peer_rounds.ROUNDS)
    parser.add_argument("--slow-rounds", type=int, default=peer_rounds.ROUNDS_OF_SLOW)
    arguments = parser.parse_args()
    unknown = set(arguments.sections) - set(sections.ORDER)
    if unknown:
        parser.error(
            f"no section {' '.join(sorted(unknown))}; there are {' '.join(sections.ORDER)}"
        )
    for name in arguments.sections or sections.ORDER:
        run_section(name, arguments)
        results.assemble(sections.ORDER)
    sys.stdout.write(f"{results.REPORT.relative_to(peer_rounds.ROOT)} is written\n")


def run_section(name: str, arguments: argparse.Namespace) -> None:
    """Measure a section and keep it."""
    peer_rounds.say(f"section {name}")
    n_articles = arguments.articles
    command = f"python -m tests.bench {name} --articles {n_articles}"
    if name != "peers":
        results.store(name, sections.measured(name, n_articles), command)
        return
    rounds, slow_rounds = arguments.rounds, arguments.slow_rounds
    command += f" --rounds {rounds} --slow-rounds {slow_rounds}"
    for section in peer_rounds.measure(n_articles, rounds, slow_rounds):
        results.store(f"peers-{n_articles}", section, command)


if __name__ == "__main__":
    main()
