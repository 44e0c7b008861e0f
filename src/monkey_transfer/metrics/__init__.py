"""Every number of the study: defined once, from one table of labelled joints, with its uncertainty.

``matching`` joins labels, predictions and reference lengths, and ``error_types`` says what kind of error each
prediction is; ``pckh``, ``detection`` and ``oks`` define what belongs to their names; ``headline`` evaluates all
metrics at once, ``bootstrap`` on resamples of people, and ``estimate`` says how sure they are. ``curves`` reads
learning curves; ``angles`` and ``agreement`` are what a clinician asks. ``docs/metrics.md`` has the formulas and worked
examples.
"""
