"""``python -m cbow``: the same as ``cbow``."""

import sys

from cbow.cli.start import main

sys.exit(main())
