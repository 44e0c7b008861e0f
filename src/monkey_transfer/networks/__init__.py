"""A job in, predictions out: networks are initialised, trained and used in a process of their own.

A :class:`~monkey_transfer.networks.job.Job` goes in; predictions, a learning curve and an outcome come out as files.
What an engine has to offer is in ``engine``, which there are in ``engines``; only the folder of an engine, such as
``tensorflow``, knows its packages.
"""
