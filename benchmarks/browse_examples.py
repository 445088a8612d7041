"""How long a page of a 1,000,000-example set takes, beside the stock Django admin.

    .venv/bin/python benchmarks/browse_examples.py

Imports a generated file, marks rows as an examination would (0.1 % private,
1 % duplicates, two labels, a split), and asks each page through Django's test
client: middleware, access, query, template. Our pages and the admin's take
turns, five rounds; the median is told. The bar is 100 ms for each of ours.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]
BAR_MS = 100.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--data", type=Path, help="a data folder with the set, kept afterwards")
    args = parser.parse_args()
    folder = args.data or Path(tempfile.mkdtemp(prefix="trainerbot-bench-"))
    os.environ |= {
        "TRAINERBOT_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "trainerbot.settings",
    }
    try:
        pages = prepared(folder, args.lines)
        measure(pages, args.rounds)
    finally:
        if not args.data:
            shutil.rmtree(folder)


def prepared(folder: Path, n_lines: int) -> dict[str, Callable[[], int]]:
    """Fill a database, and return what asks for each page and gives its status."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    call_command("prepare", stdout=sys.stderr)
    from dashboard.models import DatasetVersion

    if not DatasetVersion.objects.exists():
        fill(folder, n_lines)
    admin, _ = User.objects.get_or_create(username="admin", is_superuser=True, is_staff=True)
    client = Client(headers={"host": "localhost"})
    client.force_login(admin)
    version = DatasetVersion.objects.get()
    page = f"/datasets/{version.dataset_id}/"
    at = f"{page}versions/{version.number}"
    deep = int(n_lines * 0.9)

    def get(address: str) -> Callable[[], int]:
        return lambda: client.get(address).status_code

    return {
        "version page": get(page),
        "first page": get(f"{at}/examples/"),
        "deep page": get(f"{at}/examples/?after={deep}"),
        "rare label": get(f"{at}/examples/?label=positive"),
        "rare label, deep": get(f"{at}/examples/?label=positive&after={deep}"),
        "one part": get(f"{at}/examples/?part=validation&after={deep}"),
        "source": get(f"{at}/examples/?source=command&after={deep}"),
        "absent source": get(f"{at}/examples/?source=correction"),
        "private": get(f"{at}/examples/?marked=private&after={deep}"),
        "duplicates": get(f"{at}/examples/?marked=duplicate&after={deep}"),
        "long": get(f"{at}/examples/?marked=long"),
        "edited (none)": get(f"{at}/examples/?marked=edited"),
        "removed (none)": get(f"{at}/examples/?marked=removed"),
        "search, one hit": get(f"{at}/examples/?search={deep}"),
        "search, each row": get(f"{at}/examples/?search=workshop"),
        "search, each row, deep": get(f"{at}/examples/?search=workshop&after={deep}"),
        "search, two words": get(f"{at}/examples/?search=kilns+glazeful"),
        "search in a rare mark": get(f"{at}/examples/?search=kilns&marked=private"),
        "search, prefix": get(f"{at}/examples/?search=ki"),
        "search, no hit": get(f"{at}/examples/?search=zebra"),
        "admin: first page": get("/admin/dashboard/example/"),
        "admin: deep page": get(f"/admin/dashboard/example/?p={deep // 100}"),
        "admin: search": get(f"/admin/dashboard/example/?q={deep}"),
    }


def fill(folder: Path, n_lines: int) -> None:
    """Import the set and mark its rows as an examination would."""
    import import_examples
    from django.core.management import call_command
    from django.db import connection

    path = folder / "lines.jsonl"
    import_examples.write_lines(path, n_lines)
    call_command("importdataset", str(path), name="bench", draft=True, stdout=sys.stderr)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE dashboard_example SET n_tokens = 90 + position % 40, n_private = "
            "CASE WHEN position % 1000 = 7 THEN 1 ELSE 0 END, duplicate_of = CASE WHEN "
            "position % 100 = 3 THEN position - 3 END, label = CASE WHEN position % 10 = 0 THEN "
            "'positive' ELSE 'negative' END, part = CASE WHEN position % 10 = 5 THEN 'validation' "
            "ELSE 'train' END, outlier = CASE WHEN position % 5000 = 9 THEN 1 ELSE 0 END"
        )
        cursor.execute("ANALYZE")


def measure(pages: dict[str, Callable[[], int]], n_rounds: int) -> None:
    found: dict[str, list[float]] = {name: [] for name in pages}
    for round_number in range(n_rounds + 1):
        for name, ask in pages.items():
            begun = time.perf_counter()
            status = ask()
            took_ms = (time.perf_counter() - begun) * 1000
            if status != 200:
                sys.exit(f"{name}: status {status}")
            if round_number:  # the first one warms caches
                found[name].append(took_ms)
    for name, took in found.items():
        median = statistics.median(took)
        over = "  OVER THE BAR" if median > BAR_MS and not name.startswith("admin") else ""
        print(f"{name:26} {median:8.1f} ms  ({min(took):.1f} to {max(took):.1f}){over}")


if __name__ == "__main__":
    main()
