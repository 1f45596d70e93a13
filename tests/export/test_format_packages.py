"""Formats that need packages of their own."""

from __future__ import annotations

import pytest

from l3embed.errors import OpenL3Error
from l3embed.export import formats
from l3embed.export.formats import check_installed


def test_a_format_whose_package_is_missing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "find_spec", lambda _: None)
    with pytest.raises(OpenL3Error, match=r"lance needs lancedb, .* Run pip install 'l3embed\[lance\]'\."):
        check_installed("lance")
    check_installed("npz")
