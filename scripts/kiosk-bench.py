#!/usr/bin/env python3
"""Measures a terminal's screen beside a browser in kiosk mode, on the same five-button page, in the same run.

Prints for each program, per round: time to the first picture, processes, memory (PSS of the process tree, from smaps_rollup), CPU and
wake-ups a second at rest (voluntary context switches of all threads), and the time from an XTest press to the changed pixel.

Needs Xvfb, matchbox-window-manager (X11 full screen is not honoured without a window manager), libX11 and libXtst; Chromium if it is to
be compared. Python's standard library does the rest. Nothing leaves the machine.

    cargo build --profile kiosk --no-default-features --features kiosk --bin xinsheng-kiosk
    scripts/kiosk-bench.py target/kiosk/xinsheng-kiosk
"""

import argparse
import ctypes
import ctypes.util
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

WIDTH, HEIGHT = 1280, 800
# What the root window shows before a program draws, and the ground of both programs' pages.
EMPTY, GROUND = 0xFF00FF, 0xF7F5F0
PATIENCE_S = 60
SAMPLE = 12  # the side of the square that is watched, in pixels

PAGE = """<!doctype html><meta charset="utf-8"><title>bench</title><style>
html, body { margin: 0; height: 100%; background: #f7f5f0; color: #12243b; font: bold 48px sans-serif; }
body { display: flex; flex-direction: column; } h1 { text-align: center; font-size: 64px; margin: 60px 0; }
main { flex: 1; display: flex; gap: 30px; padding: 30px 40px 140px; }
button { flex: 1; font: inherit; background: #fff; color: inherit; border: 4px solid #12243b; border-radius: 24px; }
button:active { background: #0f5560; color: #fff; } svg { width: 110px; display: block; margin: 0 auto 30px; }
</style><h1>您对这次挂号满意吗？</h1><main></main><script>
const face = m => `<svg viewBox="0 0 100 100" fill="none" stroke="currentColor" stroke-width="6"><circle cx="50" cy="50" r="45"/>
<circle cx="34" cy="40" r="4"/><circle cx="66" cy="40" r="4"/><path d="M28 ${66} Q50 ${66 + m} 72 ${66}"/></svg>`;
for (const [word, m] of [["非常<br>不满意", -24], ["不满意", -12], ["一般", 0], ["满意", 12], ["非常满意", 24]])
  document.querySelector("main").insertAdjacentHTML("beforeend", `<button>${face(m)}${word}</button>`);
</script>"""


class Image(ctypes.Structure):
    _fields_ = [("width", ctypes.c_int), ("height", ctypes.c_int), ("xoffset", ctypes.c_int),
                ("format", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte)), ("byte_order", ctypes.c_int),
                ("bitmap_unit", ctypes.c_int), ("bitmap_bit_order", ctypes.c_int), ("bitmap_pad", ctypes.c_int),
                ("depth", ctypes.c_int), ("bytes_per_line", ctypes.c_int)]


class Display:
    """A connection to an X server: pixels of the root window, and a finger by XTest."""

    def __init__(self, name):
        self.x = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self.tst = ctypes.CDLL(ctypes.util.find_library("Xtst") or "libXtst.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.x.XDefaultRootWindow.restype = ctypes.c_ulong
        self.x.XGetImage.restype = ctypes.POINTER(Image)
        self.dpy = ctypes.c_void_p(self.x.XOpenDisplay(name.encode()))
        if not self.dpy.value:
            raise SystemExit(f"no X server at {name}")
        self.root = ctypes.c_ulong(self.x.XDefaultRootWindow(self.dpy))

    def grab(self, x, y, side=SAMPLE):
        every = ctypes.c_ulong(0xFFFFFFFF)
        image = self.x.XGetImage(self.dpy, self.root, x, y, side, side, every, 2)
        size = image.contents.bytes_per_line * side
        pixels = ctypes.string_at(image.contents.data, size)
        self.x.XFree(image.contents.data)
        self.x.XFree(image)
        return pixels

    def color(self, x, y):
        return int.from_bytes(self.grab(x, y, 1)[:3], "little")

    def clear(self):
        self.x.XSetWindowBackground(self.dpy, self.root, ctypes.c_ulong(EMPTY))
        self.x.XClearWindow(self.dpy, self.root)
        self.x.XSync(self.dpy, 0)

    def move(self, x, y):
        self.tst.XTestFakeMotionEvent(self.dpy, -1, x, y, ctypes.c_ulong(0))
        self.x.XSync(self.dpy, 0)

    def button(self, down):
        self.tst.XTestFakeButtonEvent(self.dpy, 1, int(down), ctypes.c_ulong(0))
        self.x.XFlush(self.dpy)

    def key(self, keysym):
        self.x.XStringToKeysym.restype = ctypes.c_ulong
        code = self.x.XKeysymToKeycode(self.dpy, ctypes.c_ulong(self.x.XStringToKeysym(keysym.encode())))
        for down in (1, 0):
            self.tst.XTestFakeKeyEvent(self.dpy, code, down, ctypes.c_ulong(0))
        self.x.XSync(self.dpy, 0)


def until(what, so):
    end = time.monotonic() + PATIENCE_S
    while not so():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not within {PATIENCE_S} s")
        time.sleep(0.002)


def tree(pid):
    """A process and everything below it."""
    children = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found, ahead = [], [pid]
    while ahead:
        found.append(ahead.pop())
        ahead.extend(children.get(found[-1], []))
    return found


def pss_mb(pids):
    total = 0
    for pid in pids:
        try:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def work(pids):
    """CPU seconds and voluntary context switches of all threads, by thread."""
    cpu, woken = 0.0, {}
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*"):
            try:
                fields = (task / "stat").read_text().rpartition(")")[2].split()
                status = (task / "status").read_text()
                name = (task / "comm").read_text().strip()
            except OSError:
                continue
            cpu += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            for line in status.splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    woken[(task.name, name)] = int(line.split()[1])
    return cpu, woken


def taps(display, count):
    """Presses cards between drawing and words, waits for the pixel, slides off and lifts, so that nothing is tapped and the page stays."""
    times = []
    for i in range(count):
        x, y = int(WIDTH * (0.1 + 0.2 * (i % 5))), int(HEIGHT * 0.575)
        display.move(x, y)
        time.sleep(0.12)
        before = display.grab(x, y)
        start = time.perf_counter()
        display.button(True)
        while display.grab(x, y) == before:
            if time.perf_counter() - start > 2:
                raise SystemExit(f"a press at {x}, {y} changes nothing")
        times.append((time.perf_counter() - start) * 1000)
        display.move(3, HEIGHT - 3)
        display.button(False)
        time.sleep(0.08)
    times.sort()
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


def measure(display, command, environment, prepare, options):
    display.clear()
    start = time.perf_counter()
    program = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until("the first picture", lambda: display.color(4, HEIGHT // 2) == GROUND)
        first = time.perf_counter() - start
        time.sleep(options.settle)
        prepare()
        time.sleep(2)
        pids = tree(program.pid)
        (cpu, woken), pss = work(pids), pss_mb(pids)
        time.sleep(options.idle)
        (cpu_after, woken_after) = work(pids)
        idle = 100 * (cpu_after - cpu) / options.idle
        each = {task: woken_after[task] - woken.get(task, 0) for task in woken_after}
        if options.threads:
            print("   ", {name: n for (_, name), n in each.items() if n})
        half, most = taps(display, options.taps)
        return first, len(pids), pss, idle, sum(each.values()) / options.idle, half, most
    finally:
        for pid in reversed(tree(program.pid)):
            try:
                os.kill(pid, 15)
            except OSError:
                pass
        program.wait()
        time.sleep(1)


def kiosk(binary, folder):
    """A copy of the example configuration: one touchpoint, full screen, nothing enrolled."""
    config = pathlib.Path(__file__).resolve().parent.parent / "config"
    for name in ("kiosk.toml", "touchpoints.toml"):
        text = (config / name).read_text()
        (folder / name).write_text(text.replace("full_screen = false", "full_screen = true"))
    return [str(binary), "--config", str(folder / "kiosk.toml"), "--data", str(folder / "data")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kiosk", type=pathlib.Path, help="the built xinsheng-kiosk")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--taps", type=int, default=120)
    parser.add_argument("--idle", type=float, default=20, help="seconds at rest")
    parser.add_argument("--settle", type=float, default=4, help="seconds after the first picture")
    parser.add_argument("--threads", action="store_true", help="say which threads woke up")
    parser.add_argument("--no-browser", action="store_true")
    options = parser.parse_args()
    missing = [tool for tool in ("Xvfb", "matchbox-window-manager") if not shutil.which(tool)]
    if missing:
        raise SystemExit(f"not installed: {', '.join(missing)}")
    browser = None if options.no_browser else shutil.which("chromium") or shutil.which("chromium-browser")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="xinsheng-bench-"))
    name = f":{100 + os.getpid() % 400}"
    environment = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"} | {"DISPLAY": name}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(["Xvfb", name, "-screen", "0", f"{WIDTH}x{HEIGHT}x24", "-nolisten", "tcp"], **quiet)
    manager = None
    try:
        until("Xvfb", lambda: pathlib.Path(f"/tmp/.X11-unix/X{name[1:]}").exists())
        time.sleep(0.5)
        manager = subprocess.Popen(["matchbox-window-manager", "-use_titlebar", "no"], env=environment, **quiet)
        time.sleep(0.5)
        display = Display(name)
        runs = {"xinsheng-kiosk": (kiosk(options.kiosk.resolve(), folder), lambda: display.key("Escape"))}
        if browser:
            (folder / "page.html").write_text(PAGE)
            runs["chromium --kiosk"] = ([
                browser, "--kiosk", "--no-sandbox", "--no-first-run", "--disable-background-networking",
                f"--user-data-dir={folder / 'profile'}", f"file://{folder / 'page.html'}"], lambda: None)
        print(f"{WIDTH}x{HEIGHT} under Xvfb, {os.cpu_count()} cores, {options.taps} taps, {options.idle:.0f} s at rest")
        print("| program | round | first picture | processes | PSS | idle CPU | wake-ups/s | tap to pixel p50 / p99 |")
        print("|---|---|---|---|---|---|---|---|")
        for number in range(1, options.rounds + 1):
            for program, (command, prepare) in runs.items():
                first, processes, pss, idle, woken, half, most = measure(display, command, environment, prepare, options)
                print(f"| {program} | {number} | {first:.2f} s | {processes} | {pss:.1f} MB | {idle:.2f} % | {woken:.1f} "
                      f"| {half:.1f} / {most:.1f} ms |", flush=True)
    finally:
        for process in (manager, server):
            if process:
                process.terminate()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
