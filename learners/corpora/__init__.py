"""Training and evaluation examples made from collected experience: see `docs/guide/learning/corpora.md`.

`config.CorpusConfig` says what is wanted, `building.build_corpora` makes it, `files.make_corpora` writes it, and
`e2wm` reads and writes E2WM's files. Nothing is imported here, since `plan_execution` needs the words of plans only.
"""
