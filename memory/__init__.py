"""Learning into an external memory: episodes, skills and facts, built from experience, without touching a weight.

Everything that needs faiss, tokenizers or mcp is imported by what needs it; `import pathei.memory` needs none of it.
"""
