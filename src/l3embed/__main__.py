"""``python -m l3embed``."""

import sys

from l3embed.cli.main import main

sys.exit(main())
