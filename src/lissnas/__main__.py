"""``python -m lissnas`` is the command ``lissnas``."""

import sys

from lissnas.cli import main

if __name__ == "__main__":
    sys.exit(main())
