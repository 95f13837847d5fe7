"""One Chromium for all tests that need a browser, driven by Playwright; without both, they skip."""

import contextlib
import importlib.util
import shutil

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)

needs_browser = pytest.mark.skipif(
    CHROMIUM is None or importlib.util.find_spec("playwright") is None,
    reason="needs Chromium and Playwright",
)

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@contextlib.contextmanager
def running_chromium():
    """Start the browser; end it, and the threads that drive it, before other tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


class Browser:
    """A page, and what it asked for or complained of since `open`."""

    def __init__(self, chromium):
        self.chromium = chromium
        self.script = ""  # runs before those of the page
        self.context = self.options = None

    def open(self, address, width=1280, height=800, dark=False, touch=False, still=True):
        """Open a page anew, and wait until it is ready."""
        options = (width, height, dark, touch, still, self.script)
        if options == self.options:  # another page in the same process takes half as long
            self.page.goto("about:blank")
            self.page.mouse.move(0, 0)
        else:
            self.close()
            self._begin(*options)
        self.requests, self.complaints, self.dialogs = [], [], []
        self.page.goto(address)
        self.settle()

    def _begin(self, width, height, dark, touch, still, script):
        self.options = (width, height, dark, touch, still, script)
        self.context = self.chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if still else "no-preference",
            has_touch=touch,
            is_mobile=touch,
        )
        self.context.add_init_script(script)
        self.page = self.context.new_page()
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.dialogs.append(dialog.message))
        self.page.on(
            "console",
            lambda message: (
                message.type in ("error", "warning", "assert")
                and self.complaints.append(message.text)
            ),
        )

    def ask(self, question):
        """Ask by the address of the open page, as a link to it does."""
        self.page.evaluate(
            "text => new Promise(done => {"
            "  const hash = '#' + encodeURIComponent(text);"
            "  if (location.hash === hash) return done();"
            "  addEventListener('hashchange', done, { once: true });"
            "  location.hash = hash;"
            "})",
            question,
        )
        self.settle()

    def close(self):
        """Close the page, if one is open."""
        if self.context is not None:
            self.context.close()
            self.context = self.options = None

    def settle(self):
        """Wait until what was asked for has been drawn."""
        self.run(FRAMES)

    def run(self, script):
        """Return the value of a JavaScript expression, of a promise what it becomes."""
        return self.page.evaluate(script)

    def text(self, selector):
        """Return the text that is seen in an element."""
        return self.page.eval_on_selector(selector, "e => e.innerText")

    def texts(self, selector):
        """Return the text that is seen in each of some elements."""
        return self.page.eval_on_selector_all(selector, "all => all.map(e => e.innerText)")

    def press(self, *keys):
        """Press keys: a character, or the name of a key such as Enter."""
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def type(self, selector, text):
        """Write a text into a box, in the place of what is there."""
        self.page.eval_on_selector(selector, "e => e.select()")
        self.page.keyboard.press("Backspace")
        self.page.keyboard.insert_text(text)
        self.settle()

    def click_on(self, selector, number=0):
        """Click on an element."""
        self.page.locator(selector).nth(number).click()
        self.settle()
