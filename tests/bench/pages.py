"""Pages a second, in one core and in all: generated articles in pages of about 50 KB.

    python -m tests.bench.pages FOLDER 400

The pages are of three kinds, with menus, scripts and lists of other articles around the text: one
marks its article with `itemprop`, one divides it by `<br>` in a named element as a large Korean
portal does, one marks nothing. A quarter of them is in EUC-KR, as their meta element says.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from tests.bench.corpus import articles
from tests.bench.ingests import Ingested, fresh, ingest, scratch
from tests.bench.results import Section

N_PAGES = 6_000
ROUNDS = 3
PAGE_BYTES = 50_000
_MENU = "".join(f'<li class="m"><a href="/section/{n}">메뉴 {n}</a></li>' for n in range(90))
_OTHERS = "".join(
    f'<li><a href="/a/{n}"><span>다른 기사의 제목 {n}번이 여기에 이만큼 길게 실린다</span></a></li>'
    for n in range(120)
)
_SCRIPT = "function track(e){var a=e.target;if(a){window.queue.push([a.id,Date.now()])}}\n"
_HEADS = {
    "marked": "",
    "portal": "<meta property='og:type' content='article'>",
    "plain": "<meta name='generator' content='bench'>",
}


def write_pages(folder: Path, n_pages: int) -> None:
    """Write so many pages, a file each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, article in enumerate(articles(n_pages)):
        kind = tuple(_HEADS)[number % 3]
        charset = "euc-kr" if number % 4 == 0 else "utf-8"
        raw = page(article, kind, charset).encode("cp949" if charset == "euc-kr" else "utf-8")
        (folder / f"{number:06d}.html").write_bytes(raw)


def page(article: dict[str, str], kind: str, charset: str) -> str:
    """Return a page around an article, as one of three kinds of sites writes it."""
    title, paragraphs = escape(article["title"]), escape(article["text"]).split("\n")
    told = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": article["title"],
        "datePublished": article["published_at"],
        "author": {"@type": "Person", "name": "홍길동"},
        "publisher": {"@type": "Organization", "name": article["source"]},
    }
    head = (
        f'<!doctype html><html lang="ko"><head><meta charset="{charset}"><title>{title}</title>'
        f'<link rel="canonical" href="{article["url"]}">'
        f'<meta property="og:title" content="{title}">{_HEADS[kind]}'
        f'<script type="application/ld+json">{json.dumps(told, ensure_ascii=False)}</script>'
    )
    blocks = f"<p>{'</p><p>'.join(paragraphs)}</p>"
    body = {
        "marked": f'<article><h1>{title}</h1><div itemprop="articleBody">{blocks}</div></article>',
        "portal": f'<h2>{title}</h2><div id="dic_area">{"<br><br>".join(paragraphs)}</div>',
        "plain": f'<div class="c7"><h1>{title}</h1>{blocks}</div>',
    }[kind]
    whole = (
        f"{head}</head><body><header><nav><ul>{_MENU}</ul></nav></header><div id='wrap'>{body}"
        f"<div class='others'><h3>많이 본 기사</h3><ul>{_OTHERS}</ul></div></div>"
        "<footer><p>가나신문 | 등록번호 가00000 | 발행인 홍길동</p></footer></body></html>"
    )
    left = max(0, PAGE_BYTES - len(whole.encode("utf-8")))
    scripts = f"<script>{_SCRIPT * (left // len(_SCRIPT))}</script>"
    return whole.replace("</head>", f"{scripts}</head>", 1)


def measure() -> Section:
    """Return pages a second with one process and with a worker a core, medians of some rounds.

    How fast two processes that share nothing are beside each other says what workers can reach:
    cores share their memory's bandwidth, and often more.
    """
    n_cores = len(os.sched_getaffinity(0))
    with scratch() as folder:
        path = folder / f"pages-{N_PAGES}"
        if not path.exists():
            write_pages(path, N_PAGES)
        n_bytes = sum(file.stat().st_size for file in path.iterdir()) / N_PAGES
        rounds = [_round(folder, path, n_cores) for _ in range(ROUNDS)]
    kinds = [
        _median([costs[number] for costs in rounds], key=_wall) for number in range(len(rounds[0]))
    ]
    names = ("1", f"1 and {n_cores} workers", f"{n_cores} apart, each its share of the pages")
    return {
        "title": "Pages",
        "columns": ["processes", "wall s", "pages/s", "CPU ms a page", "times as fast"],
        "rows": [_row(name, runs, kinds[0]) for name, runs in zip(names, kinds, strict=True)],
        "notes": [
            f"{N_PAGES} pages of {n_bytes / 1000:.0f} KB, a file each, taken in whole; medians of"
            f" {ROUNDS} runs each, the kinds in turn. Starting the workers and loading trafilatura"
            " is in them.",
            "The last row is no way to work: separate ingests into separate warehouses, at once. It"
            " says how much this machine gives to programs that do not wait for each other.",
        ],
    }


def _round(folder: Path, path: Path, n_cores: int) -> list[list[Ingested]]:
    """Return what ingests of the pages cost: in one process, with workers, by parts at once."""
    alone, parted = ([ingest(path, fresh(folder / "w"), n)] for n in (1, n_cores))
    fresh(folder / "w")
    shares = [folder / f"pages-{number}-of-{n_cores}" for number in range(n_cores)]
    for share in shares:
        fresh(share).mkdir()
    for number, file in enumerate(sorted(path.iterdir())):
        os.link(file, shares[number % n_cores] / file.name)
    with ThreadPoolExecutor(n_cores) as pool:
        apart = list(pool.map(lambda share: ingest(share, share.with_suffix(".w"), 1), shares))
    for share in shares:
        fresh(share)
        fresh(share.with_suffix(".w"))
    return [alone, parted, apart]


def _median(rounds: list[list[Ingested]], key: Callable[[list[Ingested]], float]) -> list[Ingested]:
    return sorted(rounds, key=key)[len(rounds) // 2]


def _wall(runs: list[Ingested]) -> float:
    return max(float(run.told["wall"]) for run in runs)


def _row(name: str, runs: list[Ingested], alone: list[Ingested]) -> list[str]:
    wall, n_pages = _wall(runs), sum(int(run.told["n_articles"]) for run in runs)
    return [
        name,
        f"{wall:.2f}",
        f"{n_pages / wall:.0f}",
        f"{sum(run.cpu_seconds for run in runs) / n_pages * 1000:.1f}",
        f"{_wall(alone) / wall:.2f}",
    ]


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]), int(sys.argv[2]))
