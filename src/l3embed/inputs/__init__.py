"""Samples and pictures to what the networks take in: resampling, windows, pixels, by kind of file."""
