"""Windows of samples to the spectrograms that the networks take in."""
