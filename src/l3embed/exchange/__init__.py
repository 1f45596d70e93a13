"""The networks as files that other programs and languages run."""
