"""What interfaces say whose clients are not installed."""

from __future__ import annotations

import sys

import pytest
from conftest import run_child

PROGRAM = """
import importlib, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        package = name.partition(".")[0]
        if package in ("torch", "mteb", "perch_hoplite", "sklearn"):
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)

sys.meta_path.insert(0, Missing())
for module in sys.argv[1:]:
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        print(error.name, error)
"""

NEEDS = {
    "l3embed.hear": ("torch", "torch"),
    "l3embed.interfaces.xares": ("torch", "torch"),
    "l3embed.interfaces.mteb": ("mteb", "mteb"),
    "l3embed.interfaces.hoplite": ("perch_hoplite", "hoplite"),
    "l3embed.interfaces.sklearn": ("sklearn", "sklearn"),
}


def test_without_its_client_an_interface_names_the_pip_command() -> None:
    said = run_child([sys.executable, "-c", PROGRAM, *NEEDS]).stdout.splitlines()

    assert said == [
        f"{package} {module} needs {package}, which is not installed: pip install 'l3embed[{extra}]'."
        for module, (package, extra) in NEEDS.items()
    ]


def test_a_client_that_lacks_something_itself_says_so_itself() -> None:
    from l3embed.interfaces.requirements import needed_by

    with (
        pytest.raises(ModuleNotFoundError, match="No module named 'torchaudio'"),
        needed_by("l3embed.interfaces.mteb", "mteb", "mteb"),
    ):
        raise ModuleNotFoundError("No module named 'torchaudio'", name="torchaudio")
