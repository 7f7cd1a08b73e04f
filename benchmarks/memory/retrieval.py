"""What the memory finds in real text: how meaning and words are best weighed, and how near a graph comes to a scan.

    python benchmarks/memory/retrieval.py [--functions 1500] [--sentences 20000] [--folder DIR] [--markdown]

Part 1 is looking for one text among many, three times. Code: the question is the first line of a function's docstring,
the answer its name, arguments and body without the docstring; functions are drawn from the standard library and from
what is installed here of torch, scikit-learn and SciPy. Household: the question is how somebody described an activity,
an answer any other plan for the same activity, by its steps (RobotHow, if `pathei data get robothow` has fetched it).
Dialogue: the question is about what somebody said, the answer the message (`_dialogues`: templates, with other topics
in the other half). The weight is chosen on one half of the questions; the other half is what counts. Part 2 asks for
the nearest of docstring sentences, from a graph and exactly. `--markdown` leaves it out and prints one table of the
half that counts.

Embedding with MiniLM takes most of the time: about ten functions or a hundred sentences per second and core. With
`--folder` its vectors are kept and used again. Not here: other embedders than MiniLM (if `pathei data get minilm` has
fetched it) and character n-grams.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import re
import sysconfig
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from pathei.benchmarks.memory._dialogues import messages
from pathei.envs.virtualhome.tasks.robothow import RobotHow
from pathei.errors import DataError
from pathei.memory.embedders.registry import make_embedder
from pathei.memory.experience_memory import ExperienceMemory
from pathei.memory.items import Draft
from pathei.memory.protocol import Embedder
from pathei.memory.retrieval.ranking import RankingConfig

Floats = np.ndarray[Any, np.dtype[np.float32]]

PACKAGES = ("torch", "sklearn", "scipy")
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9)
"""Of meaning, in a convex combination with words."""
SHOWN = (
    "words alone", "meaning alone", "ranks (RRF, 60)", "the default: 0.75 of meaning; 0.3 with n-grams",
    "the share chosen on the other half",
)  # fmt: skip
"""The rows of the table in the documentation."""
QUESTIONS = 500
K = 10
_CHUNK = 256
_WORDS = 4
"""A docstring's first line of fewer words says too little."""


class Search(NamedTuple):
    """Questions, and what answers them."""

    name: str
    texts: Sequence[str]
    """What is searched."""
    asked: Sequence[str]
    """A question for each text."""
    kinds: Sequence[str]
    """Texts of one kind answer each other's questions; a text that is alone in its kind answers its own."""


def dialogue() -> Search:
    """Make dialogues; messages without a question are searched, and not asked for."""
    said = list(messages(np.random.default_rng(0)))
    return Search("messages", [text for text, _ in said], [asked for _, asked in said], [text for text, _ in said])


class Known:
    """An embedder that has embedded texts before; of others, the passages of long ones, it keeps the vectors."""

    def __init__(self, embedder: Embedder, texts: Sequence[str], folder: Path) -> None:
        """Embed texts, or read their vectors from where they were kept."""
        self.name, self.dimensions = embedder.name, embedder.dimensions
        digest = hashlib.sha256("\0".join([embedder.name, *texts]).encode(errors="replace")).hexdigest()[:16]
        path = folder / f"{digest}.npy"
        if not path.exists():
            starts = track(range(0, len(texts), _CHUNK), f"embedding {len(texts):,} texts", transient=True)
            np.save(path, np.concatenate([embedder.embed(texts[start : start + _CHUNK]) for start in starts]))
        self._embedder = embedder
        self._vectors: dict[str, Floats] = dict(zip(texts, np.load(path), strict=True))

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return vectors, those of known texts at once."""
        new = list(dict.fromkeys(text for text in texts if text not in self._vectors))
        if new:
            self._vectors.update(zip(new, self._embedder.embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


def sources(root: Path) -> Iterator[ast.Module]:
    """Yield the modules of a folder that can be parsed, tests and what is installed below it left out."""
    for path in sorted(root.rglob("*.py")):
        if {"test", "tests", "testing", "site-packages", "lib2to3", "idlelib"} & set(path.relative_to(root).parts):
            continue
        try:
            with warnings.catch_warnings(action="ignore"):
                yield ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError):
            continue


def roots() -> list[Path]:
    """Return the standard library, and those packages that are installed."""
    paths = sysconfig.get_paths()
    found = [Path(paths["purelib"]) / name for name in PACKAGES]
    return [Path(paths["stdlib"]), *(path for path in found if path.is_dir())]


def functions_of(root: Path) -> dict[str, str]:
    """Return the functions that do something, by what is said of them, each question once."""
    found: dict[str, str] = {}
    for module in sources(root):
        for node in ast.walk(module):
            if not isinstance(node, ast.FunctionDef) or len(node.body) < 3 or not (said := ast.get_docstring(node)):
                continue
            question = said.splitlines()[0].strip()
            if len(question.split()) >= _WORDS:
                node.body, node.decorator_list = node.body[1:], []
                found.setdefault(question, ast.unparse(node))
    return found


def code(count: int) -> Search:
    """Draw functions, as many from each root, in an order of their own."""
    rng, found = np.random.default_rng(0), dict[str, str]()
    parts = [list(functions_of(root).items()) for root in roots()]
    for part in parts:
        for row in rng.permutation(len(part))[: -(-count // len(parts))]:
            found.setdefault(*part[row])
    order = [list(found)[row] for row in rng.permutation(len(found))[:count]]
    return Search("functions", [found[question] for question in order], order, order)


def household() -> Search:
    """Take RobotHow's programs, the steps without brackets and numbers."""
    programs = list(RobotHow())
    lines = [" ".join(program.lines).lower().replace("_", " ") for program in programs]
    texts = [" ".join(re.findall(r"[a-z]+", line)) for line in lines]
    return Search("plans", texts, [one.description for one in programs], [one.activity for one in programs])


def ranks(memory: ExperienceMemory, search: Search, ranking: RankingConfig) -> Floats:
    """Return what each question scores: one over the rank of its first answer, or 0 if none is among the first ten."""
    found, alone = np.zeros(len(search.texts), np.float32), Counter(search.kinds)
    for row, question in enumerate(search.asked):
        rank = 0
        if not question:
            continue
        for hit in memory.query(question, 3 * K, ranking=ranking):
            other = int(hit.item.draft.key)
            if alone[search.kinds[row]] > 1 and search.texts[other] == search.texts[row]:
                # The plan that was described, or one like it word for word, is no answer.
                continue
            rank += 1
            if rank <= K and search.kinds[other] == search.kinds[row]:
                found[row] = 1 / rank
                break
    return found


def fusion(
    console: Console, search: Search, embedders: Sequence[Embedder], folder: Path
) -> dict[str, dict[str, tuple[float, float]]]:
    """Print how well each way of ranking finds what answers a question.

    Returns:
        For each embedder, and each way of `SHOWN`, the mean on the half that counts and its standard error.
    """
    convex = {f"convex, {share:.2f} of meaning": RankingConfig(share, 1 - share) for share in SHARES}
    ways = {"words alone": RankingConfig(0, 1), "meaning alone": RankingConfig(1, 0)}
    ways |= {"ranks (RRF, 60)": RankingConfig(1, 1, fusion="rrf")} | convex
    title = f"MRR@{K} over {len(search.texts):,} {search.name}: the half to choose on, the other half, its error"
    table, lines, columns = Table("", title=title), list[str](), list[list[str]]()
    counted: dict[str, dict[str, tuple[float, float]]] = {}
    for embedder in embedders:
        table.add_column(embedder.name)
        known = Known(embedder, list(dict.fromkeys([*search.texts, *search.asked])), folder)
        with tempfile.TemporaryDirectory() as temporary, ExperienceMemory.open(temporary, embedder=known) as memory:
            memory.add_drafts(Draft("skill", text, "", key=str(row), time=1.0) for row, text in enumerate(search.texts))
            scores = {name: ranks(memory, search, ranking) for name, ranking in ways.items()}
        asked = np.array([bool(question) for question in search.asked])
        scores = {name: of[asked] for name, of in scores.items()}
        halves = [(of[::2], of[1::2]) for of in scores.values()]
        columns.append(
            [f"{one.mean():.3f}  {two.mean():.3f} ±{two.std() / len(two) ** 0.5:.3f}" for one, two in halves]
        )
        first = {name: float(scores[name][::2].mean()) for name in convex}
        best, default = max(first, key=first.__getitem__), RankingConfig().weights_for(embedder.name)[0]
        gain = (scores[best] - scores[f"convex, {default:.2f} of meaning"])[1::2]
        lines.append(
            f"{embedder.name}: chosen on one half: {best}; on the other, {gain.mean():+.3f} "
            f"±{gain.std() / len(gain) ** 0.5:.3f} against the default of {default:.2f}."
        )
        counted[embedder.name] = {
            name: (float(two.mean()), float(two.std() / len(two) ** 0.5))
            for name, two in (
                *((name, scores[name][1::2]) for name in SHOWN[:3]),
                (SHOWN[3], scores[f"convex, {default:.2f} of meaning"][1::2]),
                (SHOWN[4], scores[best][1::2]),
            )
        }
    for name, cells in zip(ways, zip(*columns, strict=True), strict=True):
        table.add_row(name, *cells)
    console.print(table)
    console.print("\n".join(lines))
    return counted


def markdown(found: Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]]) -> None:
    """Print one table: a row for each way, a column for each kind of text and embedder."""
    columns = [(kind, embedder) for kind, counted in found.items() for embedder in counted]
    titles = (f"{kind}, {'n-grams' if embedder.startswith('ngrams') else 'MiniLM'}" for kind, embedder in columns)
    print(f"|  | {' | '.join(titles)} |\n|---{'|---:' * len(columns)}|")
    for way in SHOWN:
        cells = (found[kind][embedder][way] for kind, embedder in columns)
        print(f"| {way} | {' | '.join(f'{mean:.3f} ± {error:.3f}' for mean, error in cells)} |")


def sentences(count: int) -> list[str]:
    """Draw first lines of docstrings, of functions, classes and modules, each once."""
    found: dict[str, None] = {}
    for root in roots():
        for module in sources(root):
            for node in ast.walk(module):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module):
                    lines = (ast.get_docstring(node) or "").splitlines()
                    found.update({line.strip(): None for line in lines if len(line.split()) >= 2 * _WORDS})
    every = list(found)
    return [every[row] for row in np.random.default_rng(0).permutation(len(every))[:count]]


def graph(console: Console, texts: Sequence[str], embedder: Embedder, folder: Path) -> None:
    """Print how many of the ten nearest a graph finds, and in what time."""
    known = Known(embedder, texts, folder)
    asked, kept = texts[:QUESTIONS], texts[QUESTIONS:]
    stored = known.embed(kept).astype(np.float16).astype(np.float32)
    exact = np.argpartition(-(known.embed(asked) @ stored.T), K, axis=1)[:, :K]
    table = Table(title=f"{len(kept):,} sentences, {len(asked)} others as questions, {embedder.name}")
    for name in ("index", f"recall@{K}", "CPU ms (p50)"):
        table.add_column(name)
    for name, graph_from in (("exact", len(texts)), ("graph", 1)):
        with (
            tempfile.TemporaryDirectory() as temporary,
            ExperienceMemory.open(temporary, embedder=known, graph_from=graph_from) as memory,
        ):
            memory.add_drafts(Draft("fact", text, "", key=str(row), time=1.0) for row, text in enumerate(kept))
            memory.compact()
            hits, times = 0, []
            for row, text in enumerate(asked):
                start = time.thread_time()
                found = memory.query(text, K, ranking=RankingConfig(lexical=0))
                times.append(time.thread_time() - start)
                hits += len({int(hit.item.draft.key) for hit in found} & set(exact[row].tolist()))
        table.add_row(name, f"{hits / K / len(asked):.4f}", f"{1e3 * np.median(times):.2f}")
    console.print(table)


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--functions", type=int, default=1_500)
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, default=None, help="where vectors are kept, and used again")
    parser.add_argument(
        "--markdown", action="store_true", help="one Markdown table on standard output, the rest on stderr"
    )
    options = parser.parse_args()
    console = Console(width=120, stderr=options.markdown)
    embedders: list[Embedder] = [make_embedder("ngrams")]
    try:
        embedders.insert(0, make_embedder("minilm"))
    except DataError as error:
        console.print(f"MiniLM is left out: {error}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = {"code": fusion(console, code(options.functions), embedders, folder)}
        try:
            found["plans"] = fusion(console, household(), embedders, folder)
        except DataError as error:
            console.print(f"The household is left out: {error}")
        found["dialogue"] = fusion(console, dialogue(), embedders, folder)
        if options.markdown:
            return markdown(found)
        graph(console, sentences(options.sentences), embedders[0], folder)


if __name__ == "__main__":
    main()
