"""The grammar of requests and goals: `names` of things, `nouns`, single `clauses`, whole `sentences`, their `order`."""
