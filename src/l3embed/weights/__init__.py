"""Trained weights: which files exist, where they come from, and how they are read."""
