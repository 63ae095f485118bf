#!/usr/bin/env python3
"""Looks at `mes-watch --tty` in tmux: 80 by 24 and other sizes, every key, without colour, ended by q, by ^C and by TERM."""

import os
import subprocess
import sys
import time

SOCKET = f"mes-watch-{os.getpid()}"


def tmux(*arguments):
    return subprocess.run(["tmux", "-L", SOCKET, *arguments], check=True, capture_output=True, text=True).stdout


def screen(*more):
    return tmux("capture-pane", "-p", "-t", "w", *more)


def until(*words, gone=(), seconds=10):
    end = time.monotonic() + seconds
    while True:
        seen = screen()
        if all(word in seen for word in words) and not any(word in seen for word in gone):
            return seen
        if time.monotonic() > end:
            sys.exit(f"terminal: no {words} (or still {gone}) in\n{seen}")
        time.sleep(0.05)


def begin(line, width=80, height=24):
    tmux("-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", str(width), "-y", str(height), "bash", "--norc", "--noprofile")
    tmux("send-keys", "-t", "w", f"PS1='> '; clear; {line}", "Enter")


def end():
    tmux("kill-session", "-t", "w")


def keep(name):
    folder = os.environ.get("PAGES_SHOTS")
    if folder:
        with open(os.path.join(folder, f"watch-terminal-{name}.txt"), "w") as file:
            file.write(screen())


def finished():
    begin("mes-watch --tty busy.jsonl; echo ended $?")
    seen = until("limits", "what keeps entries away", "decisions", "REPLAY", "q leave", "daily loss")
    if any(len(line) > 80 for line in seen.splitlines()):
        sys.exit(f"terminal: wider than 80 cells\n{seen}")
    if not any(shape in seen for shape in "▲▼■"):
        sys.exit(f"terminal: no fill on the chart\n{seen}")
    keep("busy")
    tmux("send-keys", "-t", "w", "Tab")
    until("alerts (Tab")
    tmux("send-keys", "-t", "w", "Tab")
    until("trades: ", "won, net")
    keep("trades")
    tmux("send-keys", "-t", "w", "Tab")
    until("health, schedule", "flat")
    keep("health")
    tmux("send-keys", "-t", "w", "Home")
    until("row 1 of")
    tmux("send-keys", "-t", "w", "Right")
    until("row 61 of")
    tmux("send-keys", "-t", "w", "?")
    until("flatten: closes")
    tmux("send-keys", "-t", "w", "x", "k")
    until("a day that is over cannot be stopped")
    for width, height in ((40, 12), (10, 4), (200, 60), (80, 24)):
        tmux("resize-window", "-t", "w", "-x", str(width), "-y", str(height))
        time.sleep(0.2)
    until("limits", "daily loss")
    tmux("send-keys", "-t", "w", "q")
    until("ended 0", gone=("limits:",))
    end()
    for name in ("empty", "script"):
        begin(f"NO_COLOR=1 mes-watch --tty {name}.jsonl", 100, 30)
        until("REPLAY")
        keep(name)
        for number in range(30, 38):
            if f"\x1b[{number}m" in screen("-e"):
                sys.exit(f"terminal: colour {number} in spite of NO_COLOR")
        tmux("send-keys", "-t", "w", "C-c")
        until(">", gone=("REPLAY",))
        end()


def running():
    """A paper day that waits for a row; halted by two keys. TERM gives the terminal back."""
    begin("mes-watch --tty --run tty; stty -a | grep -o ' icanon'; echo ended")
    until("waits for tty/journal.jsonl")
    feed = subprocess.Popen(
        ["bash", "-c", """mkdir -p tty; (mes-predict -q --rule random --rate 0.01 --to jsonl bars.arrow | head -n 300; sleep 8) |
            mes-risk -q --interval 1s --session rth --run tty | (trap '' INT TERM; exec tee tty/journal.jsonl) | mes-exec -q --run tty > /dev/null"""],
        start_new_session=True)
    until("row 300 of")
    tmux("send-keys", "-t", "w", "k")
    until("no exchange is at the other end")
    tmux("send-keys", "-t", "w", "h")
    until("y  yes, halt")
    keep("question")
    tmux("send-keys", "-t", "w", "n")
    until("halt: not done")
    tmux("send-keys", "-t", "w", "h")
    until("y  yes, halt")
    tmux("send-keys", "-t", "w", "y")
    until("halt: under way", "recorded")
    keep("halt")
    pid = subprocess.run(["pgrep", "-f", "mes-watch --tty --run tty"], capture_output=True, text=True, check=True).stdout.split()
    for one in pid:
        # The shell's own line has these words too, and is not to be ended.
        if os.path.basename(os.readlink(f"/proc/{one}/exe")).startswith("mes"):
            os.kill(int(one), 15)
    until("icanon", "ended", gone=("limits:",))
    end()
    feed.wait(30)


def gone():
    """A terminal that goes takes the view with it, and nothing spins on."""
    watching = lambda: set(subprocess.run(["pgrep", "-x", "mes-watch"], capture_output=True, text=True).stdout.split())
    others = watching()
    begin("mes-watch --tty busy.jsonl")
    until("REPLAY")
    there = lambda: watching() - others
    if not there():
        sys.exit("terminal: no mes-watch to be seen")
    end()
    patience = time.monotonic() + 5
    while there():
        if time.monotonic() > patience:
            sys.exit(f"terminal: {there()} outlived the terminal")
        time.sleep(0.05)


try:
    finished()
    running()
    gone()
finally:
    # Also where something was not as it should be: nothing is left behind.
    subprocess.run(["tmux", "-L", SOCKET, "kill-server"], check=False, capture_output=True)
print("watch    the terminal: 80 by 24 and other sizes, every key, no colour where none is wanted, given back at the end")
