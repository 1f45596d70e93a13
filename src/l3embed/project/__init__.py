"""A project of one's own: its files, and which code its results are of."""
