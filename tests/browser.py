"""A real browser, driven over the pipe of its DevTools protocol; the standard library is enough.

The tests that need it are skipped where there is none.
"""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import tempfile

import pytest

NAMES = "chromium", "chromium-browser", "google-chrome"
FOUND = next(filter(None, map(shutil.which, NAMES)), None)

needs_browser = pytest.mark.skipif(FOUND is None, reason="there is no Chromium")

#: Seconds without a word from the browser.
PATIENCE = 120

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--mute-audio",
    "--remote-debugging-pipe",
)


class Browser:
    """A browser with one page."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="cbow-browser-")
        theirs_in, self.out = _far(os.pipe())
        self.into, theirs_out = _far(os.pipe())

        def connect():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self.process = subprocess.Popen(
            [FOUND, *FLAGS, f"--user-data-dir={self.folder}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=connect,
            close_fds=False,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self.waiting, self.numbers, self.session, self.events = b"", itertools.count(1), None, []
        pages = self.send("Target.getTargets")["targetInfos"]
        target = next(each["targetId"] for each in pages if each["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for part in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{part}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.send("Browser.close", session=None)
        self.process.wait(30)
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the protocol -----------------------------------------------------------------------------

    def send(self, method, session=True, **parameters):
        """Return a command and wait for its answer."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if session and self.session:
            message["sessionId"] = self.session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.out, data) :]
        while True:
            message = self.receive()
            if message.get("id") == number:
                assert "error" not in message, (method, message["error"])
                return message["result"]

    def receive(self):
        """Read a message; keep it if it is an event."""
        while b"\0" not in self.waiting:
            ready, _, _ = select.select([self.into], [], [], PATIENCE)
            assert ready, "the browser says nothing"
            more = os.read(self.into, 1 << 20)
            assert more, "the browser has ended"
            self.waiting += more
        line, _, self.waiting = self.waiting.partition(b"\0")
        message = json.loads(line)
        if "method" in message:
            self.events.append((message["method"], message["params"]))
        return message

    def happened(self, *methods):
        """Return what has come of some events."""
        return [parameters for method, parameters in self.events if method in methods]

    # --- the page ---------------------------------------------------------------------------------

    def open(self, address, width=1280, height=800, dark=False, touch=False, still=True):
        """Open a page anew, and wait until it is ready."""
        self.go("about:blank")  # else another # of the same page would not load it anew
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=touch,
        )  # fmt: skip
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else ""},
        ]
        self.send("Emulation.setEmulatedMedia", features=features)
        self.go(address)
        self.settle()

    def go(self, address):
        """Go to an address, and wait until all of it is there."""
        self.events.clear()
        self.send("Page.navigate", url=address)
        while not self.happened("Page.loadEventFired"):
            self.receive()

    def settle(self):
        """Wait until what was asked for has been drawn."""
        self.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def run(self, script):
        """Return the value of a JavaScript expression, of a promise what it becomes."""
        found = self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def text(self, selector):
        """Return the text that is seen in an element."""
        return self.run(f"document.querySelector({json.dumps(selector)}).innerText")

    def texts(self, selector):
        """Return the text that is seen in each of some elements."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return self.run(f"{found}.map(e => e.innerText)")

    def press(self, *keys):
        """Press keys: a character, or the name of a key such as Enter."""
        codes = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowUp": 38, "ArrowDown": 40,
                 "ArrowLeft": 37, "ArrowRight": 39, "Backspace": 8}  # fmt: skip
        for key in keys:
            shared = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            text = "\r" if key == "Enter" else key if len(key) == 1 else ""
            self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **shared)
            self.send("Input.dispatchKeyEvent", type="keyUp", **shared)
        self.settle()

    def type(self, selector, text):
        """Write a text into a box, in the place of what is there."""
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.press("Backspace")
        self.send("Input.insertText", text=text)
        self.settle()

    def mouse(self, kind, x, y, **more):
        """Move the mouse, press or release its button, or turn its wheel."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, x, y):
        """Click at a place of the window."""
        self.mouse("mousePressed", x, y, button="left", clickCount=1)
        self.mouse("mouseReleased", x, y, button="left", clickCount=1)
        self.settle()

    def click_on(self, selector, number=0):
        """Click on an element."""
        box = self.run(
            f"(e => (e.scrollIntoView({{block: 'nearest'}}), e.getBoundingClientRect().toJSON()))"
            f"(document.querySelectorAll({json.dumps(selector)})[{number}])"
        )
        self.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    def picture(self, path):
        """Save what is seen as a PNG."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def complaints(self):
        """Return the errors and warnings of the console, and exceptions that nobody caught."""
        logged = [each["entry"]["text"] for each in self.happened("Log.entryAdded")]
        printed = [
            str(each["args"])
            for each in self.happened("Runtime.consoleAPICalled")
            if each["type"] in ("error", "warning", "assert")
        ]
        thrown = [str(each) for each in self.happened("Runtime.exceptionThrown")]
        return logged + printed + thrown

    def asked_for(self):
        """Return the addresses that the page has asked for."""
        return [each["request"]["url"] for each in self.happened("Network.requestWillBeSent")]


def _far(pair):
    """Move both ends of a pipe away from 3 and 4, where the browser wants its own."""
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pair]
    for end in pair:
        os.close(end)
    return moved
