"""How many threads there are inside a matrix product."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from threadpoolctl import OpenBLASController, threadpool_limits


class _SingleThreadedBLAS:
    """The limit on BLAS, which holds for the whole process, and how many want it now."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.users = 0
        self.setter: threading.Thread | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        with self.lock:
            if self.users == 0:
                self.limit = threadpool_limits(1, user_api="blas").__enter__()
                self.setter = threading.current_thread()
            self.users += 1
        try:
            yield
        finally:
            with self.lock:
                self.users -= 1
                if self.users == 0:
                    self._give_back()

    def _give_back(self) -> None:
        """Lift the limit, also from another thread than the one that set it."""
        if self.setter is not threading.current_thread():
            # From threadpoolctl 3.8 on, a limit is changed only by the thread that set it.
            release = getattr(OpenBLASController, "clear_controlling_thread", None)
            if release:
                release(force=True)
        self.limit.__exit__(None, None, None)


#: Context manager: one thread inside each matrix product. BLAS adds in another order when it has
#: more, and the result would depend on their number. Trainings that overlap share the limit.
single_threaded_blas = _SingleThreadedBLAS()
