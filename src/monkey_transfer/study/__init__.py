"""A study: its data opened and split, and its runs, planned, trained and kept."""
