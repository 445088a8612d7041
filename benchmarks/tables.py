"""What tables take: importing pyarrow, and reading a million rows of CSV, Parquet and a workbook.

Each measurement is a fresh process; the peers read the same file in the same
round. Prints a table for docs/benchmarks.md.

    python benchmarks/tables.py [ROUNDS] [ROWS]
"""

import csv
import os
import random
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
N_BOOK_ROWS = 50_000

OURS = """
from trainerbot.formats import tables
assert sum(isinstance(row, tuple) for row in tables.rows({path!r})) == {rows}
"""
WAYS = {
    "import trainerbot.formats": ("", "import trainerbot.formats"),
    "import pyarrow.parquet": ("", "import pyarrow.parquet"),
    "CSV, ours": ("table.csv", OURS),
    "CSV, csv.DictReader": (
        "table.csv",
        "import csv; assert sum(1 for row in csv.DictReader(open({path!r}, newline=''))) == {rows}",
    ),
    "Parquet, ours (two processes)": ("table.parquet", OURS),
    "Parquet, pyarrow to_pylist": (
        "table.parquet",
        "import pyarrow.parquet as p; "
        "assert sum(len(b.to_pylist()) for b in p.ParquetFile({path!r}).iter_batches()) == {rows}",
    ),
    "XLSX, ours (two processes)": ("book.xlsx", OURS),
    "XLSX, python-calamine": (
        "book.xlsx",
        "import python_calamine as p; "
        "s = p.load_workbook({path!r}).get_sheet_by_index(0); "
        "assert sum(1 for row in s.iter_rows()) == {rows} + 1",
    ),
    "XLSX, openpyxl read_only": (
        "book.xlsx",
        "import openpyxl; b = openpyxl.load_workbook({path!r}, read_only=True, data_only=True); "
        "assert sum(1 for row in b.worksheets[0].iter_rows(values_only=True)) == {rows} + 1",
    ),
}
# The peak of a process and of the one that it waited for, in KiB.
PEAKS = """
import resource
print(*(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))
"""


def main(n_rounds: int, n_rows: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), n_rows)
        measured: dict[str, list[tuple[float, float, float]]] = {way: [] for way in WAYS}
        for _ in range(n_rounds):
            for way, (file, code) in WAYS.items():
                rows = N_BOOK_ROWS if file == "book.xlsx" else n_rows
                measured[way].append(run(code.format(path=str(Path(folder) / file), rows=rows)))
        print("| what | CPU s | peak MiB, reader | peak MiB, its process |")
        print("|---|---|---|---|")
        for way, found in measured.items():
            cpu_s, own, other = (statistics.median(each) for each in zip(*found, strict=True))
            print(f"| {way} | {cpu_s:.2f} | {own:.0f} | {f'{other:.0f}' if other else '–'} |")


def run(code: str) -> tuple[float, float, float]:
    """Return CPU seconds and the peaks in MiB of a fresh process and of its child."""
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-c", code + PEAKS], cwd=ROOT, check=True, capture_output=True, text=True
    )
    after = os.times()
    cpu_s = after.children_user + after.children_system
    cpu_s -= before.children_user + before.children_system
    own, other = map(int, done.stdout.split())
    return cpu_s, own / 1024, other / 1024


def make(folder: Path, n_rows: int) -> None:
    """Write the files: three columns, about 330 characters a row."""
    chance = random.Random(3)
    words = ["".join(chance.choices("abcdefghijklmno", k=6)) for _ in range(5000)]

    def row() -> list[str]:
        return [" ".join(chance.choices(words, k=14)), " ".join(chance.choices(words, k=32)), "yes"]

    names = ["prompt", "completion", "label"]
    with (folder / "table.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(row() for _ in range(n_rows))
    # In a process of its own, so that this one stays small beside those it measures.
    code = (
        "import pyarrow.csv as c, pyarrow.parquet as p; "
        f"p.write_table(c.read_csv({str(folder / 'table.csv')!r}), "
        f"{str(folder / 'table.parquet')!r}, row_group_size=100_000)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    make_book(folder / "book.xlsx", names, row)


def make_book(path: Path, names: list[str], row: Callable[[], list[str]]) -> None:
    """Write a workbook of texts that stand in their cells."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{types}"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.spreadsheetml.sheet.main+xml"/><Override '
            'PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-'
            'officedocument.spreadsheetml.worksheet+xml"/></Types>',
        )
        for name, target in (
            ("_rels/.rels", "xl/workbook.xml"),
            ("xl/_rels/workbook.xml.rels", "worksheets/sheet1.xml"),
        ):
            kind = "officeDocument" if name == "_rels/.rels" else "worksheet"
            book.writestr(
                name,
                f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
                f'Type="{links}/{kind}" Target="{target}"/></Relationships>',
            )
        book.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets>'
            '<sheet name="data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(f'<worksheet xmlns="{main}"><sheetData>'.encode())
            for number in range(1, N_BOOK_ROWS + 2):
                cells = names if number == 1 else row()
                texts = "".join(
                    f'<c r="{chr(65 + at)}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
                    for at, text in enumerate(cells)
                )
                sheet.write(f'<row r="{number}">{texts}</row>'.encode())
            sheet.write(b"</sheetData></worksheet>")


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 5,
        int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000,
    )
