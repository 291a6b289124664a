"""A virtual display for testing windows: Xvfb, with a keyboard, a mouse and screenshots."""

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
"""Width and height of the display in pixels, with room to spare around a 1280x720 window."""
IS_AVAILABLE = shutil.which("Xvfb") is not None and find_spec("Xlib") is not None
"""Whether Xvfb and python-xlib are installed."""


class Screen:
    """A connection to a virtual display."""

    def __init__(self, name: str) -> None:
        from Xlib.display import Display

        self.name = name
        self.display = Display(name)

    def wait_for_window(self, title: str = "mnist_graph", seconds: float = 60) -> Any:
        """Return the first window whose title starts with `title`. Raises TimeoutError if none
        appears within `seconds`.
        """
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := self.list_windows(title):
                return found[0]
            time.sleep(0.05)
        raise TimeoutError(f"no window titled {title} appeared within {seconds} seconds")

    def list_windows(self, title: str = "mnist_graph") -> list[Any]:
        """Return the visible windows whose title starts with `title`."""
        from Xlib import X
        from Xlib.error import BadWindow

        found = []
        for window in self.display.screen().root.query_tree().children:
            try:
                if str(window.get_wm_name() or "").startswith(title):
                    found += [window] * (window.get_attributes().map_state == X.IsViewable)
            except BadWindow:  # closed since query_tree
                pass
        return found

    def press(self, window: Any, *keys: str) -> None:
        """Focus `window`, press all `keys` together, and release them. A key is an X keysym, such
        as "a", "space" or "Control_L".
        """
        from Xlib import XK, X
        from Xlib.ext import xtest

        window.set_input_focus(X.RevertToParent, X.CurrentTime)
        codes = [self.display.keysym_to_keycode(XK.string_to_keysym(key)) for key in keys]
        for code in codes:
            xtest.fake_input(self.display, X.KeyPress, code)
        for code in reversed(codes):
            xtest.fake_input(self.display, X.KeyRelease, code)
        self.display.sync()

    def close(self, window: Any) -> None:
        """Close `window` as a window manager does when its close button is clicked."""
        from Xlib.protocol.event import ClientMessage

        protocols, delete = map(self.display.intern_atom, ("WM_PROTOCOLS", "WM_DELETE_WINDOW"))
        data = 32, [delete, 0, 0, 0, 0]
        window.send_event(ClientMessage(window=window, client_type=protocols, data=data))
        self.display.sync()

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Drag with the left mouse button from `start` to `end`, in pixels of the display."""
        from Xlib import X
        from Xlib.ext import xtest

        for event, detail, position in (
            (X.MotionNotify, 0, start),
            (X.ButtonPress, 1, start),
            (X.MotionNotify, 0, end),
            (X.ButtonRelease, 1, end),
        ):
            xtest.fake_input(self.display, event, detail, x=position[0], y=position[1])
            self.display.sync()
            time.sleep(0.1)

    def capture(self, left: int = 0, top: int = 0, *size: int) -> np.ndarray:
        """Return a screenshot of the display, or of a part of `size` (width, height): uint8 RGB
        [height, width, 3].
        """
        from Xlib import X

        width, height = size or SIZE
        root = self.display.screen().root
        image = root.get_image(left, top, width, height, X.ZPixmap, 0xFFFFFFFF)
        return np.frombuffer(image.data, np.uint8).reshape(height, width, 4)[..., 2::-1]


@contextmanager
def screen() -> Iterator[Screen]:
    """Start a new virtual display, and stop it when the context ends."""
    reader, writer = os.pipe()  # Xvfb writes the number of the display that it chose
    size = f"{SIZE[0]}x{SIZE[1]}x24"
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", size]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as number:
            yield Screen(f":{number.readline().strip()}")
    finally:
        server.kill()
        server.wait()
