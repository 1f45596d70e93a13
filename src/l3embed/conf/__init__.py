"""The settings' groups of choices, which Hydra finds here from every project."""
