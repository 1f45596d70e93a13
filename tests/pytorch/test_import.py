"""`import l3embed.torch` with and without PyTorch, which it neither needs elsewhere nor hides."""

from __future__ import annotations

import sys

import pytest
from conftest import run_child


def test_without_pytorch_it_says_what_to_install() -> None:
    program = (
        "import sys\nsys.modules['torch'] = None\n"
        "try:\n    import l3embed.torch\nexcept ModuleNotFoundError as error:\n    print(error.name, error)"
    )

    said = run_child([sys.executable, "-c", program]).stdout

    expected = "torch l3embed.torch needs PyTorch, which is not installed: pip install 'l3embed[torch]'.\n"
    assert said == expected


def test_it_does_not_hide_pytorch() -> None:
    torch = pytest.importorskip("torch")
    import l3embed.torch

    assert sys.modules["torch"] is torch
    assert l3embed.torch.OpenL3.__mro__[1] is torch.nn.Module


def test_embedding_does_not_load_it() -> None:
    pytest.importorskip("torch")
    program = (
        "import sys, numpy, l3embed\n"
        "l3embed.get_image_embedding(numpy.ones((224, 224, 3)), embedding_size=512, verbose=False)\n"
        "print('torch' in sys.modules)"
    )

    assert run_child([sys.executable, "-c", program]).stdout == "False\n"
