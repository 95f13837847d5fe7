"""Arrays that lie in files: mapped into memory, or read where the file system cannot map files."""

from __future__ import annotations

import errno
import mmap
import os
import sys
from typing import Any, BinaryIO, Final

import numpy as np
import numpy.typing as npt

#: What mmap says where files cannot be mapped, such as on some network drives and mounts of FUSE.
_NO_MAPPING: Final = (
    errno.ENODEV, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES,
    errno.EPERM,
)  # fmt: skip

#: Lets go of the file itself, of which there may be only so many open; older Pythons cannot.
_UNTRACKED: Final[Any] = {"trackfd": False} if sys.version_info >= (3, 13) else {}


def mapped(file: BinaryIO, dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Return the content of a file that is not empty, read-only, (n,).

    It stays on disk until it is used, but where the file system cannot map files.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    size = os.fstat(file.fileno()).st_size
    try:
        pages = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ, **_UNTRACKED)
    except OSError as error:
        if error.errno not in _NO_MAPPING:
            raise
        file.seek(0)
        array = np.fromfile(file, dtype)  # (n,)
        array.flags.writeable = False
        return array
    return np.ndarray(size // np.dtype(dtype).itemsize, dtype, pages)  # (n,)
