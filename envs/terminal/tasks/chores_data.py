"""The file systems `office` (letters and invoices), `measurements` (tables) and `archive` (boxes of things kept)."""

from __future__ import annotations

import numpy as np

from .chores import Chore, Files, chore, lines, question, some

_FIRMS = "Aldrich Benton Corvid Delmar Esker Fennel Garnet Hollis"
_TOWNS = "Arden Brill Corby Dunmore Elmstead Fairlea"
_BOXES = "letters maps photos recipes songs tools"


def office(rng: np.random.Generator) -> tuple[Files, list[Chore]]:
    """Make an office: invoices, letters, an inbox; consumes the generator."""
    firms = some(rng, _FIRMS, 5)
    amounts = [int(rng.integers(10, 900)) for _ in firms]
    files: Files = {"done/": "", "letters/drafts/": ""}
    for number, (firm, amount) in enumerate(zip(firms, amounts, strict=True), 1):
        state = "paid" if rng.random() < 0.5 else "open"
        files[f"invoices/{number:03d}.txt"] = lines([f"firm: {firm}", f"amount: {amount}", f"state: {state}"])
    for firm in firms[:3]:
        files[f"letters/{firm.lower()}.txt"] = f"Dear {firm},\n\nthank you for your order.\n"
    files["inbox/scan1.tmp"] = files["inbox/scan2.tmp"] = "scratch\n"
    files["inbox/offer.txt"] = f"An offer by {firms[4]}.\n"
    files["contacts.txt"] = lines(sorted(firms, reverse=True))
    files["notes.txt"] = lines(["call the printer", "water the plants", "order paper"])
    paid = [path for path in sorted(files) if path.startswith("invoices/") and "paid" in files[path]]
    least, word = min(amounts), some(rng, "lunch meeting holiday training", 1)[0]
    letter = f"letters/{firms[0].lower()}.txt"
    richest = firms[amounts.index(max(amounts))]
    chores = [
        chore("tidy-inbox", "Delete `inbox/scan1.tmp` and `inbox/scan2.tmp`, and nothing else.",
              [{"absent": "inbox/scan1.tmp"}, {"absent": "inbox/scan2.tmp"},
               {"only": ["inbox/scan1.tmp", "inbox/scan2.tmp"]}], "rm inbox/*.tmp", "rm"),
        chore("file-offer", "Move `inbox/offer.txt` to `done/offer.txt`.",
              [{"file": "done/offer.txt", "same_as": "inbox/offer.txt"}, {"absent": "inbox/offer.txt"}],
              "mv inbox/offer.txt done/offer.txt", "mv cp rm"),
        chore("new-folder", "Make the directory `letters/2024`, and in it an empty file `letters/2024/index.txt`.",
              [{"dir": "letters/2024"}, {"file": "letters/2024/index.txt", "text": ""}],
              ("mkdir letters/2024", "touch letters/2024/index.txt"), "mkdir touch"),
        chore("add-note", f"Add the line `{word}` at the end of `notes.txt`.",
              [{"file": "notes.txt", "text": files["notes.txt"] + word}, {"only": ["notes.txt"]}],
              f"echo {word} >> notes.txt", "append cp rm"),
        chore("sort-contacts", "Write the lines of `contacts.txt` in alphabetical order into `sorted.txt`.",
              [{"file": "sorted.txt", "text": lines(sorted(firms))}, {"only": ["sorted.txt"]}],
              "LC_ALL=C sort contacts.txt > sorted.txt", "sort cp head"),
        chore("copy-draft", f"Keep a copy of `{letter}` as `letters/drafts/copy.txt`.",
              [{"file": "letters/drafts/copy.txt", "same_as": letter}, {"file": letter}],
              f"cp {letter} letters/drafts/copy.txt", "cp mv rm"),
        chore("list-paid", "Write the names of all files in `invoices` that hold the word paid into `paid.txt`, one on "
              "each line and with their directory, sorted.", [{"file": "paid.txt", "text": lines(paid)}],
              "grep -l paid invoices/*.txt > paid.txt; true", "grep append"),
        question("least-amount", "What is the smallest amount in the files in `invoices`?", least,
                 "cat invoices/*.txt | grep amount | sort -t: -k2 -n | head -1"),
        question("who-owes-most", "Which firm's invoice in `invoices` has the largest amount?", richest,
                 "grep -h amount -B1 invoices/*.txt"),
        question("first-contact", "What is the first line of `contacts.txt`?", max(firms), "head -n 1 contacts.txt"),
    ]  # fmt: skip
    return files, chores


def measurements(rng: np.random.Generator) -> tuple[Files, list[Chore]]:
    """Make tables of what stations have measured; consumes the generator."""
    towns = some(rng, _TOWNS, 4)
    files: Files = {"clean/": ""}
    table: dict[str, list[int]] = {}
    for place, town in enumerate(towns):
        table[town] = [int(rng.integers(-9, 20)) + 30 * (place == 2) for _ in range(int(rng.integers(6, 12)))]
        rows = [f"{day + 1},{value}" for day, value in enumerate(table[town])]
        files[f"raw/{town.lower()}.csv"] = lines(["day,temperature", *rows])
    files["stations.txt"] = lines([f"{town} {int(rng.integers(100, 999))}" for town in towns])
    files["broken.csv"] = "day;temperature\n1;4\n2;7\n"
    files["raw/README"] = "One file for each station; degrees.\n"
    first, second, hot = towns[0].lower(), towns[1].lower(), towns[2]
    heights = {row.split()[0]: row.split()[1] for row in files["stations.txt"].splitlines()}
    data = [f"{town.lower()}.csv" for town in towns]
    every = files[f"raw/{first}.csv"] + files[f"raw/{second}.csv"]
    top = files[f"raw/{first}.csv"].splitlines()[0]
    chores = [
        question("count-rows", f"How many lines does `raw/{first}.csv` have, its heading not counted?",
                 len(table[towns[0]]), f"tail -n +2 raw/{first}.csv | wc -l"),
        question("hottest", "Which station in `raw` has measured the highest temperature? Give its name without .csv.",
                 hot.lower(), "for f in raw/*.csv; do tail -n +2 $f | cut -d, -f2 | sort -n | tail -1; echo $f; done"),
        question("height", f"Which number stands beside `{towns[3]}` in `stations.txt`?", heights[towns[3]],
                 f"grep {towns[3]} stations.txt"),
        question("how-many-tables", "How many files in `raw` have a name that ends with .csv?", len(data),
                 "ls raw/*.csv | wc -l"),
        chore("mend-separator", "In `broken.csv` put a comma in place of every semicolon.",
              [{"file": "broken.csv", "text": "day,temperature\n1,4\n2,7\n"}, {"only": ["broken.csv"]}],
              "sed -i 's/;/,/g' broken.csv", "append cp"),
        chore("join-two", f"Write the whole of `raw/{first}.csv` and then that of `raw/{second}.csv` into `all.csv`.",
              [{"file": "all.csv", "text": every}, {"only": ["all.csv"]}],
              f"cat raw/{first}.csv raw/{second}.csv > all.csv", "cp append mv"),
        chore("heading", f"Write the first line of `raw/{first}.csv` into `clean/heading.csv`.",
              [{"file": "clean/heading.csv", "text": top}, {"only": ["clean"]}],
              f"head -n 1 raw/{first}.csv > clean/heading.csv", "head cp sort"),
        chore("row-count-file", f"Write the number of lines of `raw/{second}.csv`, and nothing else, into `rows.txt`.",
              [{"file": "rows.txt", "text": str(len(table[towns[1]]) + 1)}], f"wc -l < raw/{second}.csv > rows.txt",
              "wc head cp"),
        chore("copy-raw", "Make a copy of the directory `./raw`, with all its files, as `./backup`.",
              [{"file": f"backup/{name}", "same_as": f"raw/{name}"} for name in [*data, "README"]]
              + [{"only": ["backup"]}], "cp -r raw backup", "cp mv mkdir"),
        chore("mean", f"Write the mean temperature in `raw/{first}.csv`, rounded to one decimal, into `mean.txt`.",
              [{"file": "mean.txt", "text": f"{sum(table[towns[0]]) / len(table[towns[0]]):.1f}"}],
              f"tail -n +2 raw/{first}.csv | awk -F, '{{s+=$2}} END {{printf \"%.1f\\n\", s/NR}}' > mean.txt",
              "append wc"),
    ]  # fmt: skip
    return files, chores


def archive(rng: np.random.Generator) -> tuple[Files, list[Chore]]:
    """Make an archive of boxes with things of different age and kind; consumes the generator."""
    boxes = some(rng, _BOXES, 4)
    files: Files = {"trash/": ""}
    held: dict[str, int] = {}
    for box in boxes:
        held[box] = int(rng.integers(2, 6))
        for number in range(held[box]):
            files[f"boxes/{box}/item{number}.txt"] = f"{box} {number}: {int(rng.integers(1000, 9999))}\n"
    hidden = int(rng.integers(1000, 9999))
    deep = f"boxes/{boxes[3]}/below/further/key.txt"
    files[deep] = f"the key is {hidden}\n"
    files[f"boxes/{boxes[0]}/.secret"] = "hidden\n"
    files["boxes/empty1.txt"] = files["boxes/empty2.txt"] = ""
    files["inventory.txt"] = lines([f"{box}: {held[box]}" for box in boxes])
    files["names.txt"] = lines(["pear", "apple", "fig", "apple", "pear"])
    first, second, third = boxes[:3]
    here, items = f"boxes/{first}", [f"item{number}.txt" for number in range(held[third])]
    largest = sum(path.endswith(".txt") and path.startswith("boxes/") for path in files)
    chores = [
        question("find-key", "Somewhere below `boxes` is a file key.txt. Which number does it hold?", hidden,
                 "find boxes -name key.txt -exec cat {} +"),
        question("count-items", f"How many files are there in `boxes/{second}`?", held[second],
                 f"ls boxes/{second} | wc -l"),
        question("count-texts", "How many files with a name that ends with .txt are there below `boxes`, at any depth?",
                 largest, "find boxes -name '*.txt' | wc -l"),
        chore("throw-away", f"Move the directory `boxes/{third}` into the directory `trash`.",
              [{"absent": f"boxes/{third}"},
               *({"file": f"trash/{third}/{name}", "same_as": f"boxes/{third}/{name}"} for name in items)],
              f"mv boxes/{third} trash", "mv cp rm"),
        chore("delete-empty", "Delete the two empty files `boxes/empty1.txt` and `boxes/empty2.txt`.",
              [{"absent": "boxes/empty1.txt"}, {"absent": "boxes/empty2.txt"}, {"file": f"{here}/item0.txt"}],
              "find boxes -name 'empty?.txt' -delete", "rm"),
        chore("unhide", f"Rename the hidden file `{here}/.secret` to `{here}/secret.txt`.",
              [{"file": f"{here}/secret.txt", "text": "hidden"}, {"absent": f"{here}/.secret"}],
              f"mv {here}/.secret {here}/secret.txt", "mv cp rm"),
        chore("protect", f"Make `{here}/item0.txt` readable and writable by its owner only: mode 600.",
              [{"file": f"{here}/item0.txt", "mode": "600"}, {"only": [f"{here}/item0.txt"]}],
              f"chmod 600 {here}/item0.txt", "chmod"),
        chore("link-inventory", "Make a symbolic link `trash/list` that points to `/home/agent/inventory.txt`.",
              [{"link": "trash/list", "to": "/home/agent/inventory.txt"}],
              "ln -s /home/agent/inventory.txt trash/list", "ln cp"),
        chore("pack-inventory", "Compress `inventory.txt` with gzip, and put the result at `trash/inventory.txt.gz`.",
              [{"file": "trash/inventory.txt.gz", "unpacked": files["inventory.txt"]}, {"absent": "inventory.txt"}],
              ("gzip -n inventory.txt", "mv inventory.txt.gz trash/inventory.txt.gz"), "gzip mv cp"),
        chore("names-once", "Put the lines of `names.txt` in order and each only once, in `names.txt` itself.",
              [{"file": "names.txt", "text": "apple\nfig\npear"}, {"only": ["names.txt"]}],
              ("sort -u names.txt > /tmp/names", "cp /tmp/names names.txt", "rm /tmp/names"), "unique mv cp rm"),
    ]  # fmt: skip
    return files, chores
