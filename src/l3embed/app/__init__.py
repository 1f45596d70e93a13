"""The pipeline's settings and entry points. Hydra, and the files of settings, are known here alone."""
