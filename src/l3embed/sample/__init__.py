"""A small labelled dataset of synthesised sounds, to try l3embed on without data and without a network."""

from l3embed.sample.dataset import write_sample_dataset

__all__ = ["write_sample_dataset"]
