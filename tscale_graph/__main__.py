"""`python -m tscale_graph` is `tscale`."""

import sys

from tscale_graph.cli import main

sys.exit(main())
