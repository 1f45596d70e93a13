"""What OpenL3 asks to be cited, and this software, as BibTeX; ``CITATION.cff`` says the same."""

from __future__ import annotations

from l3embed.version import __version__

PAPERS = (
    """@inproceedings{cramer2019look,
  title = {Look, Listen and Learn More: Design Choices for Deep Audio Embeddings},
  author = {Cramer, Aurora and Wu, Ho-Hsiang and Salamon, Justin and Bello, Juan Pablo},
  booktitle = {IEEE International Conference on Acoustics, Speech and Signal Processing (ICASSP)},
  address = {Brighton, GB},
  pages = {3852--3856},
  month = may,
  year = {2019}
}""",
    """@inproceedings{arandjelovic2017look,
  title = {Look, Listen and Learn},
  author = {Arandjelovi{\\'c}, Relja and Zisserman, Andrew},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  address = {Venice, IT},
  month = oct,
  year = {2017}
}""",
)

SOFTWARE = f"""@software{{l3embed,
  title = {{l3embed}},
  author = {{{{the l3embed authors}}}},
  version = {{{__version__}}}
}}"""
