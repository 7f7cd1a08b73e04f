"""The file systems `project` (a small program with its sources) and `weblog` (a server's logs), and their chores."""

from __future__ import annotations

from collections import Counter

import numpy as np

from .chores import Chore, Files, chore, lines, question, some

_MODULES = "parser lexer engine cache router mailer clock ledger shapes colours"
_PAGES = "/index /about /prices /login /search /cart /help"
_HOSTS = "10.0.0.4 10.0.0.9 10.0.0.17 10.0.0.23 10.0.0.42"


def project(rng: np.random.Generator) -> tuple[Files, list[Chore]]:
    """Make a project: sources, tests, documentation and things left over from building; consumes the generator."""
    names = some(rng, _MODULES, 5)
    files: Files = {"app/build/": "", "app/docs/": ""}
    todo: dict[str, int] = {}
    for name in names:
        body = [f'"""The {name}."""', "", f"def run_{name}(value):"]
        todo[name] = int(rng.integers(0, 4))
        body += [f"    # LATER: case {number}" for number in range(todo[name])]
        body += [f"    return value + {int(rng.integers(1, 9))}"] * int(rng.integers(1, 4))
        files[f"app/src/{name}.py"] = lines(body)
        files[f"app/build/{name}.o"] = f"object of {name}\n"
    first, second, third = names[:3]
    version = f"1.{int(rng.integers(9))}.{int(rng.integers(9))}"
    files["app/src/main.py"] = lines([*(f"from {name} import run_{name}" for name in names), "print('ready')"])
    files["app/run.sh"] = "echo starting\npython3 src/main.py\n"
    files["app/VERSION"] = f"{version}\n"
    files["app/config.ini"] = lines(["[server]", "port = 8080", "debug = true", f"name = {first}"])
    files["app/README.md"] = lines(["# The app", "", f"It has a {first} and a {second}."])
    objects = [f"app/build/{name}.o" for name in names]
    config = files["app/config.ini"]
    most = max(names, key=lambda name: (todo[name], name))
    todo[most] += 1
    files[f"app/src/{most}.py"] += "    # LATER: the rest\n"
    chores = [
        chore("make-executable", "Make the script `app/run.sh` executable: its mode is to be 755.",
              [{"file": "app/run.sh", "mode": "755"}, {"only": ["app/run.sh"]}], "chmod 755 app/run.sh", "chmod"),
        chore("clean-build", "Delete the directory `app/build` with all that is in it.",
              [{"absent": "app/build"}, {"only": ["app/build"]}], "rm -r app/build", "rm"),
        chore("clean-objects", "Delete every file whose name ends with .o in `app/build`, and keep the directory.",
              [{"dir": "app/build"}, *({"absent": path} for path in objects)], "rm app/build/*.o", "rm"),
        chore("rename-module", f"Rename `app/src/{second}.py` to `app/src/{second}_old.py`.",
              [{"file": f"app/src/{second}_old.py", "same_as": f"app/src/{second}.py"},
               {"absent": f"app/src/{second}.py"}], f"mv app/src/{second}.py app/src/{second}_old.py", "mv cp rm"),
        chore("debug-off", "In `app/config.ini` set debug to false, and leave the rest as it is.",
              [{"file": "app/config.ini", "text": config.replace("true", "false")}, {"only": ["app/config.ini"]}],
              "sed -i 's/debug = true/debug = false/' app/config.ini", "append cp"),
        chore("count-later", "Write the number of lines in `app/src` that hold the word LATER into `later.txt`.",
              [{"file": "later.txt", "text": str(sum(todo.values()))}], "grep -rh LATER app/src | wc -l > later.txt",
              "count wc append"),
        chore("copy-readme", "Copy `app/README.md` into the directory `app/docs`, and `app/VERSION` too.",
              [{"file": "app/docs/README.md", "same_as": "app/README.md"},
               {"file": "app/docs/VERSION", "same_as": "app/VERSION"}, {"only": ["app/docs"]}],
              ("cp app/README.md app/docs", "cp app/VERSION app/docs"), "cp mv"),
        chore("link-current", f"Make a symbolic link `app/current.py` that points to `/home/agent/app/src/{third}.py`.",
              [{"link": "app/current.py", "to": f"/home/agent/app/src/{third}.py"}],
              f"ln -s /home/agent/app/src/{third}.py app/current.py", "ln cp"),
        question("which-version", "Which version does the file `app/VERSION` name?", version, "cat app/VERSION"),
        question("most-later", "Which file in `app/src` has the most lines with the word `LATER`?", f"{most}.py",
                 "cd app/src; grep -c LATER *.py | sort -t: -k2 -n | tail -1"),
    ]  # fmt: skip
    return files, chores


def weblog(rng: np.random.Generator) -> tuple[Files, list[Chore]]:
    """Make a server's logs of a few days; consumes the generator."""
    files: Files = {"logs/old/": "", "reports/": ""}
    hosts, pages = some(rng, _HOSTS, 4), some(rng, _PAGES, 5)
    codes: Counter[str] = Counter()
    visits: Counter[str] = Counter()
    everything: list[str] = []
    for day in (1, 2, 3):
        rows = []
        for _ in range(int(rng.integers(12, 20))):
            code = ("200", "200", "200", "404", "500")[int(rng.integers(5))]
            # The later a host stands in the list, the rarer it is, so that one is the most frequent.
            host = hosts[int(min(rng.geometric(0.5) - 1, 3))]
            codes[code] += 1
            visits[host] += 1
            rows.append(f"2024-03-0{day} {host} GET {pages[int(rng.integers(5))]} {code}")
        everything += rows
        files[f"logs/day{day}.log"] = lines(rows)
    visits[hosts[0]] += 40
    extra = [f"2024-03-04 {hosts[0]} GET {pages[0]} 200"] * 40
    files["logs/day4.log"] = lines(extra)
    everything += extra
    codes["200"] += 40
    blocked = some(rng, "192.168.0.7 192.168.0.8 192.168.0.9 192.168.0.10", 3)
    files["blocked.txt"] = lines([*blocked, blocked[0]])
    files["errors.txt"] = lines(["disk full", "timeout", "disk full", "no route", "timeout"])
    missing = [row for row in everything if row.endswith(" 404")]
    day_one = files["logs/day1.log"].splitlines()
    chores = [
        question("count-404", "How many requests in all of `logs` ended with the code `404`?", codes["404"],
                 "cat logs/*.log | grep -c ' 404$'"),
        question("busiest-host", "Which host (the second column) made the most requests in `logs`?", hosts[0],
                 "cat logs/*.log | cut -d' ' -f2 | sort | uniq -c | sort -n | tail -1"),
        question("lines-day-one", "How many lines has `logs/day1.log`?", len(day_one), "wc -l < logs/day1.log"),
        chore("collect-404", "Write all lines of the logs in `logs` that end with 404 into `reports/missing.txt`, in "
              "order of the days.", [{"file": "reports/missing.txt", "text": lines(missing)}],
              "cat logs/day?.log | grep ' 404$' > reports/missing.txt", "grep append"),
        chore("errors-one-day", "Write the lines of `logs/day1.log` that hold `500` into `reports/day1.txt`.",
              [{"file": "reports/day1.txt", "text": lines([row for row in day_one if "500" in row])},
               {"only": ["reports/day1.txt"]}], "grep 500 logs/day1.log > reports/day1.txt", "grep head sort"),
        chore("archive-day", "Compress `logs/day1.log` with gzip, as `logs/day1.log.gz`, and keep no other copy of it.",
              [{"file": "logs/day1.log.gz", "unpacked": files["logs/day1.log"]}, {"absent": "logs/day1.log"}],
              "gzip -n logs/day1.log", "gzip rm"),
        chore("move-old", "Move `logs/day1.log` and `logs/day2.log` into `logs/old`.",
              [{"file": f"logs/old/day{day}.log", "same_as": f"logs/day{day}.log"} for day in (1, 2)]
              + [{"absent": f"logs/day{day}.log"} for day in (1, 2)],
              "mv logs/day1.log logs/day2.log logs/old", "mv cp rm"),
        chore("unique-blocked", "Write the addresses of `blocked.txt`, sorted and each only once, into `unique.txt`.",
              [{"file": "unique.txt", "text": lines(sorted(set(blocked)))}],
              "LC_ALL=C sort -u blocked.txt > unique.txt", "sort unique cp"),
        chore("distinct-errors", "Write how many different lines `errors.txt` has into `reports/kinds.txt`.",
              [{"file": "reports/kinds.txt", "text": "3"}], "sort -u errors.txt | wc -l > reports/kinds.txt",
              "unique wc sort"),
        chore("lock-logs", "Nobody but the owner may read or write `logs/day4.log`: its mode is to be 600.",
              [{"file": "logs/day4.log", "mode": "600"}], "chmod 600 logs/day4.log", "chmod"),
    ]  # fmt: skip
    return files, chores
