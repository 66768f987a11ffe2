"""`python -m pooltrust` is the `pooltrust` command."""

import sys

from pooltrust.command.main import main

sys.exit(main())
