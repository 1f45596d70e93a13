"""A small labelled dataset of sounds, images and a video, to try l3embed on without data and network."""

from l3embed.sample.carried_files import write_sample_dataset

__all__ = ["write_sample_dataset"]
