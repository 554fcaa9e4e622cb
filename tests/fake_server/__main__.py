"""The fake server as a process of its own."""

import asyncio

from tests.fake_server.service import main

asyncio.run(main())
