"""Names for arrays by the kind of their numbers; what their shapes are stands beside each."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Numbers of any kind, for kernels and for files.
Array: TypeAlias = NDArray[Any]

#: float32 or float64, whichever the parameters are.
Floats: TypeAlias = NDArray[np.floating[Any]]

#: float32.
Singles: TypeAlias = NDArray[np.float32]

#: float64.
Doubles: TypeAlias = NDArray[np.float64]

#: Ids of words, in integers of any size.
Ids: TypeAlias = NDArray[np.integer[Any]]

#: How often words occur, in integers of any size.
Counts: TypeAlias = NDArray[np.integer[Any]]

#: int64.
Longs: TypeAlias = NDArray[np.int64]
