"""The closed loop: collect, learn, and collect again with the better agent, measured on held-out tasks.

`import pathei.loop` imports neither torch nor faiss; the functions that need them do.
"""
