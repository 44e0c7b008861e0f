"""The pose network behind one small interface.

:func:`monkey_transfer.networks.supervisor.run_job` initialises, trains and uses one network in a
process of its own: a :class:`~monkey_transfer.networks.job.Job` goes in, predictions, a learning
curve and an outcome come out as files. Only modules that run in that process (``child`` and what
it imports) know DeepLabCut and TensorFlow, so another engine needs another child and nothing else.
"""
