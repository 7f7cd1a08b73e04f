"""The sandboxed shell: its process, its layers, and its limits."""
