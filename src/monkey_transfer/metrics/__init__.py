"""Every number of the study: defined once, from one table of labelled joints, with its uncertainty.

``matching`` joins labels, predictions and reference lengths; ``pckh``, ``detection``, ``rmse`` and
``oks`` define the metrics on the joined table; ``headline`` evaluates all of them at once and
``bootstrap`` says how sure they are. ``docs/metrics.md`` has the formulas and worked examples.
"""
