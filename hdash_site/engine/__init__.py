"""The build engine: verifying traces with early cutoff, for any kind of task.

It knows nothing of atlases, layouts or files. `model` is the vocabulary, `build` the algorithm,
`work` the place where heavy functions run.
"""
