"""Tables of the benchmarks of this folder, for a terminal or as Markdown for `_record.py`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


def show(title: str, columns: list[str], rows: list[list[str]], *, markdown: bool) -> None:
    """Print a table whose first column is text and whose others are figures."""
    if markdown:
        lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
        print("\n".join(f"| {' | '.join(line)} |" for line in lines))
        return
    table = Table(title=title)
    for number, heading in enumerate(columns):
        table.add_column(heading, justify="right" if number else "left")
    for row in rows:
        table.add_row(*row)
    Console(width=120).print(table)
