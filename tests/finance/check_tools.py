"""Finance's own tools on what the program publishes and exports.

check_tools.py PROGRAM WAREHOUSE FOLDER

Every figure is computed a second time, from the warehouse by SQLite and from the file by the tool, as integers of 10^-8.
"""

import csv
import glob
import html
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
import zipfile
from decimal import Decimal
from pathlib import Path

PROGRAM = Path(sys.argv[1]).resolve()
WAREHOUSE = Path(sys.argv[2]).resolve()
FOLDER = Path(sys.argv[3]).resolve()
RECIPES = Path(__file__).resolve().parents[2] / "deploy" / "finance"

E8 = Decimal(10) ** 8
# Longest time that a tool may take to start; so that a broken test ends.
LONGEST = 120

# Texts that a spreadsheet must not calculate.
HOSTILE = ["=1+1", "+86138", "-1+1", "@sum(a1)", "\t=1+1", "＝1+1", '=HYPERLINK("http://127.0.0.1")', "-12.50", "0012345678901234567890"]


def check(what, good, detail=""):
    if not good:
        sys.exit(f"FAILED {what}: {detail}")
    print(f"ok {what}")


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"FAILED {' '.join(map(str, words))}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Bench:
    """A copy of the warehouse with hostile rows, and a configuration for it."""

    def __init__(self):
        self.folder = FOLDER / "work"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.warehouse = self.folder / "warehouse.sqlite"
        with sqlite3.connect(WAREHOUSE) as db:
            db.execute("vacuum into ?", (str(self.warehouse),))
        with sqlite3.connect(self.warehouse) as db:
            for text in HOSTILE:
                db.execute(
                    """insert into resources (account, resource_id, resource_name, role, first_seen_run, last_changed_run, last_seen_at)
                       values ('hostile', hex(?), ?, 'customer', 1, 1, '2026-01-01T00:00:00Z')""",
                    (text, text),
                )
        (self.folder / "bss-sync.toml").write_text(
            '[warehouse]\npath = "warehouse.sqlite"\n[accounts.acme]\nsite = "china"\n[publish]\npath = "billing.sqlite"\n'
        )

    def bss_sync(self, *words):
        return run(PROGRAM, *words, cwd=self.folder)

    def ask(self, sql):
        with sqlite3.connect(f"file:{self.warehouse}?mode=ro", uri=True) as db:
            return db.execute(sql).fetchall()

    def columns(self, view):
        return [name for (name,) in self.ask(f"select name from pragma_table_info('{view}') order by cid")]

    def sums(self, view):
        """Number of rows, and the sum of each amount by the name of its readable column."""
        exact = [name for name in self.columns(view) if name.endswith("_e8")]
        sums = "".join(f", coalesce(sum({name}), 0)" for name in exact)
        rows, *values = self.ask(f"select count(*){sums} from {view}")[0]
        return rows, {name.removesuffix("_e8"): value for name, value in zip(exact, values)}

    def views(self):
        return [name for (name,) in self.ask("select name from sqlite_schema where type = 'view' and name glob 'f[0-9]*' and name not glob '*_as_of' order by name")]


def e8(text):
    """An amount as a tool shows it, in 10^-8; a spreadsheet shows at most 15 digits."""
    return int((Decimal(text) * E8).to_integral_value()) if text else 0


def read_csv(path):
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    return rows[0], rows[1:]


def check_csv(bench):
    for view in bench.views():
        bench.bss_sync("export", view, "--format", "csv")
        header, rows = read_csv(bench.folder / f"{view}.csv")
        count, sums = bench.sums(view)
        of = {name: sum(e8(row[header.index(name)]) for row in rows) for name in sums if name in header}
        check(f"csv {view}: {count} rows add up", len(rows) == count and all(of[name] == sums[name] for name in of), f"{of} {sums}")


def through_libreoffice(bench, path, folder):
    """All sheets of a file as CSV, values as they are stored and not as they are shown."""
    # 44,34,UTF8: separators; quote all text; not as shown; no formulas; all sheets.
    form = "csv:Text - txt - csv (StarCalc):44,34,UTF8,1,,0,true,false,false,false,false,-1"
    profile = f"-env:UserInstallation=file://{bench.folder}/libreoffice"
    run("soffice", profile, "--headless", "--convert-to", form, "--outdir", folder, path, timeout=300)
    return {Path(name).stem.removeprefix(f"{Path(path).stem}-"): read_csv(name) for name in glob.glob(f"{folder}/*.csv")}


def check_xlsx(bench):
    bench.bss_sync("export", "f0*", "f1*", "resources", "--format", "xlsx", "--to", "questions.xlsx")
    path = bench.folder / "questions.xlsx"
    with zipfile.ZipFile(path) as book:
        sheets = [book.read(name).decode() for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    check(f"xlsx: {len(sheets)} sheets without a formula", sheets and not any("<f>" in sheet or "<f " in sheet for sheet in sheets))
    shown = through_libreoffice(bench, path, bench.folder / "xlsx")
    for view in bench.views():
        header, rows = shown[view[:31]]
        count, sums = bench.sums(view)
        check(f"xlsx {view}: {count} rows", len(rows) == count, len(rows))
        for name, expected in sums.items():
            # What has more digits than a cell keeps has them in a column of text.
            at = header.index(f"{name}_text" if f"{name}_text" in header else name)
            total = sum(e8(row[at]) for row in rows)
            check(f"xlsx {view}.{name} adds up to {Decimal(expected) / E8}", total == expected, total)
    header, rows = shown["resources"]
    names = {row[header.index("resource_name")] for row in rows}
    check("xlsx: LibreOffice shows hostile texts as they are", names.issuperset(HOSTILE), set(HOSTILE) - names)


def check_hostile_csv(bench):
    bench.bss_sync("export", "resources", "--account", "hostile", "--to", "hostile.csv")
    shown = through_libreoffice(bench, bench.folder / "hostile.csv", bench.folder / "hostile")
    (header, rows), = shown.values()
    names = {row[header.index("resource_name")] for row in rows}
    calculated = {"2", "0", "138"} & names
    check("csv: LibreOffice calculates nothing", len(rows) == len(HOSTILE) and not calculated, names)


def check_parquet(bench):
    import pyarrow
    import pyarrow.parquet

    for view in [*bench.views(), "v_orders", "orders"]:
        bench.bss_sync("export", view, "--format", "parquet")
        table = pyarrow.parquet.read_table(bench.folder / f"{view}.parquet")
        count, sums = bench.sums(view)
        check(f"parquet {view}: {count} rows", table.num_rows == count, table.num_rows)
        for name, expected in sums.items():
            column = table.column(name)
            check(f"parquet {view}.{name} is a decimal", column.type == pyarrow.decimal128(18, 8), column.type)
            total = sum((int(value.scaleb(8)) for value in column.to_pylist() if value is not None), 0)
            check(f"parquet {view}.{name} adds up", total == expected, f"{total} {expected}")


def check_odbc(bench, copy):
    driver = glob.glob("/usr/lib/*/odbc/libsqlite3odbc.so")[0]
    sql = "select sum(net_e8) as net_e8 from f01_net_spend_by_service"
    connection = f"Driver={driver};Database={copy};NoTXN=1;BigInt=1"
    shown = run("isql", "-k", connection, "-b", "-d,", input=sql + "\n")
    check("odbc: the driver shows whole integers", str(bench.ask(sql)[0][0]) in shown, shown)


def fetch(url):
    with urllib.request.urlopen(url, timeout=LONGEST) as answer:
        return answer.read().decode()


def browse(bench, url):
    """What a person sees, as text of the page."""
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    user = f"--user-data-dir={bench.folder}/chromium"
    page = run("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", *quiet, user, "--dump-dom", url, timeout=LONGEST)
    return html.unescape(page)


# Questions that may have no row for a month: nothing waits, changed, or counts elsewhere.
MAY_BE_EMPTY = ("f09", "f13", "f18")


def check_datasette(bench, copy):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    words = [FOLDER / "venv/bin/datasette", "serve", "--immutable", copy, "--metadata", RECIPES / "datasette.yaml"]
    words += ["--setting", "sql_time_limit_ms", "30000", "--port", port]
    with open(bench.folder / "datasette.log", "w") as log:
        server = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log)
    try:
        begun = time.monotonic()
        while True:
            try:
                queries = json.loads(fetch(f"{url}/billing.json"))["queries"]
                break
            except OSError:
                if server.poll() is not None or time.monotonic() - begun > LONGEST:
                    sys.exit(f"FAILED datasette: {(bench.folder / 'datasette.log').read_text()}")
                time.sleep(0.1)
        home = browse(bench, f"{url}/billing")
        for query in queries:
            name = query["name"]
            check(f"datasette offers {name} in both languages", query["title"] in home and " | " in query["title"], home)
            rows = json.loads(fetch(f"{url}/billing/{name}.json?_shape=array"))
            check(f"datasette {name}: {len(rows)} rows", rows or name.startswith(MAY_BE_EMPTY), rows)
            page = browse(bench, f"{url}/billing/{name}")
            figures = [str(value) for row in rows[:5] for value in row.values() if value is not None]
            missing = [figure for figure in figures if figure not in page]
            check(f"the browser sees {name} with {len(figures)} values", not missing, missing)
        month = bench.ask("select min(month) from f01_net_spend_by_service")[0][0]
        rows = json.loads(fetch(f"{url}/billing/f01_net_spend_by_service.json?_shape=array&month={urllib.parse.quote(month)}"))
        check(f"a month can be chosen: {month}", rows and {row["month"] for row in rows} == {month}, rows)
    finally:
        server.terminate()
        server.wait()


def main():
    os.environ.pop("DISPLAY", None)
    bench = Bench()
    print(bench.bss_sync("publish"))
    copy = bench.folder / "billing.sqlite"
    check_csv(bench)
    check_hostile_csv(bench)
    check_xlsx(bench)
    check_parquet(bench)
    check_odbc(bench, copy)
    check_datasette(bench, copy)
    print("all passed")


main()
