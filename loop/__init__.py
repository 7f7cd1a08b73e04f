"""The closed loop: live, learn, act, and live again as the better agent, measured on tasks that nobody has seen.

Everything that torch, faiss or matplotlib do is imported by what needs it; `import pathei.loop` needs none of them.
"""
