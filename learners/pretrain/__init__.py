"""Self-supervised learning from collected experience: objectives that need no labels, each with its negative control.

An objective (`objectives/`, one file each) makes batches out of a store's frames, clips or transcripts, a loss, a
metric, and a control: the same task with the cue taken away, at which it must fail. `training` trains, `probe` measures
what a linear reader gains over random weights, `run` does both in a directory. Not here: language-model fine-tuning.
"""
