"""MiniWoB++: its pages, environment and demonstrations."""
