"""Every documented request of /openapi.json under schemathesis: no undocumented status, no crash, no answer that breaks its schema.

`python3 openapi.py PATH/TO/xinsheng-central CONFIG_FOLDER PATH/TO/schemathesis`. The event stream never ends and is left to other tests.
"""

import os
import subprocess
import sys

from run import Central, visit


def main():
    program, config, schemathesis = sys.argv[1:4]
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
                "run",
                central.url + "/openapi.json",
                "--exclude-path=/v1/events",
                "--max-examples=" + os.environ.get("XINSHENG_EXAMPLES", "40"),
                "--seed=1",
                "--request-timeout=10",
                "--no-color",
            ]
        )
    finally:
        central.stop()


if __name__ == "__main__":
    sys.exit(main())
