#!/usr/bin/env bash
# Writes written.tar.xz with pathei 0.1.0: a checkout of commit 6ae1c47 with all extras installed.
#
#   bash make.sh PYTHON FOLDER      PYTHON: that checkout's .venv/bin/python; FOLDER: a new folder for the files
#
# Paths in the files are relative to FOLDER. Do not run this with newer code: tests/test_written_by_0_1_0.py checks that
# newer code opens what the old code wrote.
set -euo pipefail
python=$1
mkdir "$2" && cd "$2"
pathei() { "$python" -c 'import sys; from pathei.cli import main; sys.exit(main())' "$@"; }

"$python" - <<'PYTHON'
# A base model of a few thousand weights, and old text.
from pathlib import Path
from pathei.learners.base import BaseRecipe, train_base

texts = [
    f"The {thing} is in the {room}. Q: Where is the {thing}?\nA: the {room}"
    for thing in ("apple", "book", "cup", "towel", "radio", "pillow")
    for room in ("kitchen", "bedroom", "bathroom", "living room")
]
recipe = BaseRecipe(layers=1, width=16, heads=2, vocabulary=300, context=128, steps=30, batch=4, learning_rate=5e-3)
model, tokenizer = train_base([f"{text}\n" for text in texts] * 4, recipe)
model.save_pretrained("tiny")
tokenizer.save_pretrained("tiny")
Path("old.txt").write_text("\n\n".join(texts) + "\n")
PYTHON

# A store: demonstrations, a plan with its search tree, explored episodes, a failure, an image; sealed and in a journal.
pathei collect store --collector scripted --tasks 10 --steps 60 --workers 0
"$python" - <<'PYTHON'
from pathei import ExperienceStore
from pathei.experience import Failure, Goal, Observation, Parent, Step, Task, Tokens, Trajectory

task = Task("lamp", "pathei/Lamp-v0", 3, Goal("turn on the lamp", ({"lamp": "on"},)), {"room": "attic"})
with ExperienceStore.open("store", config={"command": "fixture", "world": "lamp"}, seeds=[1, 2], journal_bytes=1) as store:
    image = store.put_image(b"\x89PNG\r\n\x1a\n" + b"not a real picture")
    dark = Observation("It is dark.", (image,), ("press", "wait"), {"lamp": "off"})
    light = Observation("It is light.", (), ("press", "wait"), {"lamp": "on"})
    waits = Step(dark, "wait", 0.0, info={"success": False})
    press = Step(dark, "press", 1.0, terminated=True, info={"success": True, "agent": {"usage": {"prompt_tokens": 3}}},
                 tokens=Tokens((1, 2, 3), (4,), (-0.5,)))
    root = Trajectory("root", task, (waits, press), light, "agent", None, {"agent": "random", "seed": 3})
    branch = Trajectory("branch", task, (Step(dark, "wait", 0.0, truncated=True, info={"success": False}),), dark,
                        "mcts", Parent("root", 1), {})
    store.append(root, branch, Failure(task, "step", "RuntimeError: the bulb broke"))
PYTHON
pathei collect store --collector explore --tasks 2 --steps 6 --workers 0

pathei memory build store --embedder ngrams
pathei corpora store corpora --corpus.per-kind 3 --corpus.held-out 0
pathei fisher fisher.safetensors --model tiny --texts old.txt --sequences 8 --length 16
pathei fisher factored.safetensors --model tiny --texts old.txt --sequences 8 --length 16 --fisher.factored

# A run that is done, and one that was stopped after its first checkpoint.
train=(--model tiny --method ewc --texts old.txt --fisher fisher.safetensors --training.batch 2 --training.steps 4
    --training.save-every 2 --training.max-length 128 --corpus.per-kind 5 --corpus.kinds plan-bare location)
pathei learn store --out run "${train[@]}"
"$python" - <<'PYTHON'
# `stopped` is the same run, ended after step 2.
from pathlib import Path

import orjson
from pathei.learners import run as learn_run
from pathei.learners.corpora.config import CorpusConfig
from pathei.learners.training import Training


class Stopped(Exception):
    """The run is stopped."""


def watch(told):
    if told["step"] == 3:
        raise Stopped


wanted = learn_run.LearnConfig(
    Path("stopped"), data=Path("store"), model="tiny", method="ewc",
    training=Training(batch=2, steps=4, save_every=2, max_length=128),
    corpus=CorpusConfig(kinds=("plan-bare", "location"), per_kind=5),
    texts=(Path("old.txt"),), fisher=Path("fisher.safetensors"),
)
try:
    learn_run.learn(wanted, watch=watch)
except Stopped:
    pass
before = orjson.loads(Path("run/config.json").read_bytes())
after = orjson.loads(Path("stopped/config.json").read_bytes())
assert {**before, "out": ""} == {**after, "out": ""}, (before, after)
PYTHON

pathei loop loop --model tiny --texts old.txt --held-out-texts old.txt --rounds 1 --tasks 3 --explored 2 --proposed 4 \
    --held-out 1 --steps 12 --simulations 20 --against '' --workers 0 --training.steps 2 --training.batch 2 \
    --training.max-length 128 --knobs.fisher-sequences 8 --knobs.sequence-length 16 --no-report
# What only matters while a process is at it, and an empty journal of SQLite's.
find . -name lock -delete -o -name '*.sqlite-shm' -delete -o -name '*.sqlite-wal' -empty -delete
tar -cJf ../written.tar.xz --sort=name --owner=0 --group=0 .
