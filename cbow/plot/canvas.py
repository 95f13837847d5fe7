"""What the pictures share: paper, ink, and the way to a file's bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from cbow.errors import CBOWError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The endings of the files there can be, each with what matplotlib would write into it unasked.
ENDINGS: Final[Mapping[str, Mapping[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}

#: Of text, of what stands behind the data, and of the finest lines.
INK, GREY, PALE = "#222222", "#767676", "#d8d8d8"

#: Colours of Okabe & Ito, "Color Universal Design" (2008), which colour-blind people tell apart;
#: of the eight those that are dark enough for text on white.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", INK)

#: Inches; a screen shows them as 800 points across.
WIDTH: Final = 8.0

#: Dots per inch of a PNG: two for each point of that screen.
RESOLUTION: Final = 200

STYLE: Final[Mapping[str, Any]] = {
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "svg.hashsalt": "cbow",  # else the names inside an SVG are drawn at random
}


def check_matplotlib() -> None:
    """See that there is matplotlib.

    Raises
    ------
    CBOWError
        If it cannot be imported.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise CBOWError(
            f"pictures need matplotlib, which cannot be imported ({error}); install it with: "
            "pip install matplotlib"
        ) from error


def render(draw: Callable[[Figure], None], height: float, ending: str) -> bytes:
    """Make a figure, let `draw` draw on it, and give the bytes of its file.

    Parameters
    ----------
    draw : callable
        Takes the empty figure.
    height : float
        Inches.
    ending : str
        One of `ENDINGS`.

    Returns
    -------
    bytes
        The same for the same drawing.
    """
    import matplotlib.style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # "default" first: what the user has set for other pictures has no say in these.
    with matplotlib.style.context(["default", dict(STYLE)]):
        figure = Figure(figsize=(WIDTH, height), dpi=RESOLUTION)
        FigureCanvasAgg(figure)  # with which texts are measured, whatever the format
        draw(figure)
        file = io.BytesIO()
        metadata: Any = dict(ENDINGS[ending])
        figure.savefig(file, format=ending[1:], metadata=metadata)
    return file.getvalue()


def percent(share: float) -> str:
    """Write a share as a whole number of per cent.

    Examples
    --------
    >>> percent(0.618)
    '62 %'
    """
    return f"{100 * share:.0f} %"
