"""The supervisor over two small programs instead of the site: `python fake_site.py VAR_DIR`, for test_supervisor."""

import os
import sys
from pathlib import Path

from sermo.runtime import supervisor
from sermo.runtime.children import Program

SLEEP = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
STUBBORN = (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); helper = os.fork(); "
    "helper and print(f'pid {os.getpid()}\\nhelper {helper}', flush=True); time.sleep(600)"
)


class FakeSite(supervisor.Supervisor):
    def start_everything(self, *, servers_only):
        env = dict(os.environ)
        self.start(Program("web", [sys.executable, "-c", SLEEP], env))
        patience = float(env.get("PATIENCE", "1"))
        self.start(Program("worker", [sys.executable, "-c", STUBBORN], env, patience=patience))


if __name__ == "__main__":
    os.environ["VAR_DIR"] = str(Path(sys.argv[1]))
    supervisor.Supervisor = FakeSite
    sys.exit(supervisor.main([]))
