"""The contract between trainer and runtime: labels, clips, preprocessing, checkpoint folders.

Everything that decides what a model sees is defined here and stored in the checkpoint folder.
Both halves of the project import this package; it imports nothing of theirs but `errors`.
"""
