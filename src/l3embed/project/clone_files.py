"""``python -m l3embed.project.clone_files``: write what a clone of l3embed has from the templates of projects."""

from __future__ import annotations

import sys
from pathlib import Path

from l3embed.disk.atomic import replacing
from l3embed.project.templating_files import config_yaml, dvc_yaml


def main() -> int:
    """Write ``dvc.yaml`` and ``conf/config.yaml`` of the clone in this folder."""
    for path, text in (
        (Path("dvc.yaml"), dvc_yaml(in_clone=True)),
        (Path("conf/config.yaml"), config_yaml(in_clone=True)),
    ):
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
