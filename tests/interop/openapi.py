"""Every documented request of /openapi.json under schemathesis: no undocumented status, no crash, no answer that breaks its schema.

`python3 openapi.py PATH/TO/xinsheng-central CONFIG_FOLDER PATH/TO/schemathesis`. The event stream never ends and is left to other tests.
Requests of terminals go out unsigned here: that signed ones are answered as published is what run.py checks.
"""

import os
import subprocess
import sys
from pathlib import Path

from run import Central, visit

HERE = Path(__file__).resolve().parent


def main():
    program, config, schemathesis = [str(Path(path).resolve()) for path in sys.argv[1:4]]
    central = Central(program, config)
    try:
        # Figures, a chain and a call for help, so that the documented answers are not all empty.
        terminal = central.terminal()
        for value in [5, 4, 2, 5, 1, 5]:
            visit(terminal, value)
        terminal.append("help_called", touchpoint="registration", lang="zh-CN")
        terminal.append("dance")
        terminal.send(1, len(terminal.lines))
        return subprocess.call(
            [
                schemathesis,
                f"--config-file={HERE / 'schemathesis.toml'}",
                "run",
                central.url + "/openapi.json",
                "--exclude-path=/v1/events",
                "--max-examples=" + os.environ.get("XINSHENG_EXAMPLES", "40"),
                "--seed=1",
                "--request-timeout=10",
                "--no-color",
            ],
            # It keeps what it found where it runs, and would begin with that the next time.
            cwd=central.folder,
            env={**os.environ, "PYTHONPATH": str(HERE), "SCHEMATHESIS_HOOKS": "bodies"},
        )
    finally:
        central.stop()


if __name__ == "__main__":
    sys.exit(main())
