"""Learning into weights: corpora from experience, Fisher information, and fine-tuning that keeps what a model knew.

Everything that needs torch is imported by the module that needs it; `import pathei.learners` needs none of it.
"""
