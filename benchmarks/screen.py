"""A screen without a screen: Xvfb, the window on it, and keys sent to that."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

SIZE = (1600, 1000)
THERE = shutil.which("Xvfb") is not None and find_spec("Xlib") is not None
"""Whether such a screen can be had."""


class Screen:
    """What is shown on it."""

    def __init__(self, name: str) -> None:
        from Xlib.display import Display

        self.name = name
        self.display = Display(name)

    def window(self, title: str = "mnist_graph", seconds: float = 60) -> Any:
        """The window whose title begins with `title`, as soon as it is there."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.windows(title):
                return found[0]
            time.sleep(0.05)
        raise TimeoutError(f"no window {title} in {seconds} seconds")

    def windows(self, title: str = "mnist_graph") -> list[Any]:
        """Those that are to be seen."""
        from Xlib.error import BadWindow

        found = []
        for window in self.display.screen().root.query_tree().children:
            try:
                if str(window.get_wm_name() or "").startswith(title):
                    found += [window] * (window.get_attributes().map_state == 2)
            except BadWindow:  # gone meanwhile
                pass
        return found

    def key(self, window: Any, *names: str) -> None:
        """Press the keys, all at a time, with the focus on `window`."""
        from Xlib import XK, X
        from Xlib.ext import xtest

        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        codes = [self.display.keysym_to_keycode(XK.string_to_keysym(name)) for name in names]
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()

    def close(self, window: Any) -> None:
        """As a window manager does when its button is pressed."""
        from Xlib.protocol.event import ClientMessage

        protocols, delete = map(self.display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        data = 32, [delete, 0, 0, 0, 0]
        window.send_event(ClientMessage(window=window, client_type=protocols, data=data))
        self.display.sync()

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """With the left button, from one place on the screen to another."""
        from Xlib import X
        from Xlib.ext import xtest

        for event, detail, place in (
            (X.MotionNotify, 0, start),
            (X.ButtonPress, 1, start),
            (X.MotionNotify, 0, end),
            (X.ButtonRelease, 1, end),
        ):
            xtest.fake_input(self.display, event, detail, x=place[0], y=place[1])
            self.display.sync()
            time.sleep(0.1)

    def picture(self, left: int = 0, top: int = 0, *size: int) -> np.ndarray:
        """What is to be seen: uint8 [height, width, 3]."""
        from Xlib import X

        width, height = size or SIZE
        root = self.display.screen().root
        image = root.get_image(left, top, width, height, X.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(image.data, np.uint8).reshape(height, width, 4)[..., 2::-1]


@contextmanager
def screen() -> Iterator[Screen]:
    """A new one, while it is needed."""
    reader, writer = os.pipe()
    words = ["Xvfb", "-displayfd", str(writer), "-screen", "0", f"{SIZE[0]}x{SIZE[1]}x24"]
    server = subprocess.Popen(words, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as number:
            yield Screen(f":{number.readline().strip()}")
    finally:
        server.terminate()
        server.wait()
