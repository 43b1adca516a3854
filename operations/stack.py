"""The processes of a production installation on one machine, supervised: what `make stack` runs."""

import os
import sys
from pathlib import Path

from django.conf import settings

from jobs.serving import Services, address_of

PROCESSES = ("web", "ticks", "default", "fits", "beat")


class Stack(Services):
    """As `Services`, with the web server and each worker as `deploy/run` starts them, for systemd and containers too.

    Raises ServiceError when it is entered and the port is taken, or no page comes.
    """

    def __init__(self, *, port: int, bind: str = "127.0.0.1") -> None:
        run = str(Path(settings.BASE_DIR, "deploy/run"))
        super().__init__(port=port, bind=bind, commands={name: (run, name) for name in PROCESSES})
        # The children inherit these: the python of this process, and where its web server listens.
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        os.environ["WEB_BIND"] = address_of(bind, port)
