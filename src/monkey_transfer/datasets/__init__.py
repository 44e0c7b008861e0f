"""Data sets: one module per format, each of which reads files into a :class:`~.base.Dataset`."""
