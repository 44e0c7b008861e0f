"""Data sets: a module per format, which reads files into a :class:`~monkey_transfer.datasets.base.Dataset`."""
