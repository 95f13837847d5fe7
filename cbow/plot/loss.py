"""The picture of a training run: the loss of each epoch beside losses that need no training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from cbow.plot import COLOURS, GREY, WIDTH, percent, render
from cbow.system.arrays import Doubles

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


#: Inches beside a panel; the names of its lines are on the right.
LEFT, RIGHT = 0.75, 2.35

#: Inches above each panel, for its title, and below the last, for the epochs.
ABOVE, BELOW = 0.45, 0.6

#: Points from one name to the next, at least.
LINE: Final = 14.0

#: A logarithmic axis of less than this, as a ratio, has ticks between the powers of ten.
FEW: Final = 20.0

#: With more epochs than this, a line has no dots.
DOTS: Final = 40


class History(NamedTuple):
    """What is known of E epochs; NaN where nothing is."""

    epochs: Doubles  #: (E,), their numbers
    loss: Doubles  #: (E,), nats per token
    heldout_loss: Doubles  #: (E,), nats per token
    active: Doubles  #: (E,), share of the units that are active
    gradient_norms: Mapping[str, Doubles]  #: (E,) for each parameter
    uniform: float  #: loss of the uniform distribution, nats per token
    unigram: float  #: loss of the word frequencies
    heldout_unigram: float  #: the same on the held-out lines


class _Line(NamedTuple):
    """A line of a panel, named at its right end with its last value."""

    name: str
    values: Doubles  #: (E,); or (1,) for a level line
    colour: str
    level: bool = False


class _Panel(NamedTuple):
    title: str
    lines: list[_Line]
    height: float  #: inches
    written: Callable[[float], str]  #: a value as text
    scale: str = "linear"


def loss_picture(history: History, ending: str) -> bytes:
    """Draw the loss of each epoch, and below it what is known of units and gradients.

    Parameters
    ----------
    history : History
    ending : str
        A key of `cbow.plot.ENDINGS`.

    Returns
    -------
    bytes
        A file of this kind.
    """
    panels = []
    for panel in _panels(history):  # without the lines of which nothing is known
        if lines := [each for each in panel.lines if np.isfinite(each.values).any()]:
            panels.append(panel._replace(lines=lines))
    height = BELOW + sum(ABOVE + panel.height for panel in panels)

    def draw(figure: Figure) -> None:
        top = height
        for panel in panels:
            top -= ABOVE + panel.height
            box = LEFT, top, WIDTH - LEFT - RIGHT, panel.height  # inches
            ax = figure.add_axes(tuple(np.divide(box, (WIDTH, height, WIDTH, height))))
            _draw_panel(ax, panel, history.epochs)
            _name_lines(figure, ax, panel)
            ax.tick_params(labelbottom=panel is panels[-1])
        ax.set_xlabel("epoch")

    return render(draw, height, ending)


def _panels(history: History) -> Iterator[_Panel]:
    """Yield all panels that there can be."""
    ours, theirs = COLOURS[:2]
    loss = [
        _Line("training", history.loss, ours),
        _Line("held out", history.heldout_loss, theirs),
        _Line("uniform", np.array([history.uniform]), GREY, level=True),
        _Line("word frequencies", np.array([history.unigram]), ours, level=True),
        _Line("frequencies, held out", np.array([history.heldout_unigram]), theirs, level=True),
    ]
    active = [_Line("active", history.active, ours)]
    norms = [
        _Line(name, values, colour)
        for (name, values), colour in zip(
            history.gradient_norms.items(), cycle(COLOURS), strict=False
        )
    ]
    yield _Panel("loss, nats per token", loss, 3.9, "{:.3f}".format)
    yield _Panel("share of units", active, 1.5, percent)
    positive = any((line.values > 0).any() for line in norms)
    yield _Panel(
        "norm of the gradients", norms, 1.5, "{:.2g}".format, "log" if positive else "linear"
    )


def _draw_panel(ax: Axes, panel: _Panel, epochs: Doubles) -> None:
    """Draw lines over the epochs, and level ones dashed from side to side; set axes and ticks."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    marker = "o" if len(epochs) <= DOTS else None
    for line in panel.lines:
        known = np.isfinite(line.values)
        if line.level:
            ax.axhline(line.values[0], color=line.colour, linewidth=1.0, linestyle=(0, (4, 3)))
        else:
            ax.plot(
                epochs[known], line.values[known], color=line.colour, marker=marker, markersize=3.5
            )
    side = 0.02 * (epochs[-1] - epochs[0]) or 0.5
    ax.set(xlim=(epochs[0] - side, epochs[-1] + side), yscale=panel.scale)
    ax.set_title(panel.title, loc="left", fontsize=11)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    if panel.written is percent:
        ax.set(ylim=(0, 1.02))
        ax.yaxis.set_major_formatter(lambda share, _: percent(share))
    if panel.scale == "log":
        low, high = ax.get_ylim()
        steps = (1.0, 2.0, 3.0, 5.0) if high < FEW * low else (1.0,)
        ax.yaxis.set_major_locator(LogLocator(subs=steps))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_locator(NullLocator())


def _name_lines(figure: Figure, ax: Axes, panel: _Panel) -> None:
    """Write the name and last value of each line at its right end, one above the other."""
    box = ax.get_window_extent()  # pixels
    last = np.array([line.values[np.isfinite(line.values)][-1] for line in panel.lines])
    heights = ax.transData.transform(np.column_stack([np.zeros_like(last), last]))[:, 1]
    # A norm of 0 has no place on a logarithmic axis; its name goes to the lower end.
    heights = np.clip(np.nan_to_num(heights, nan=box.y0), box.y0, box.y1)
    places = spread(heights, LINE * figure.dpi / 72, box.y0, box.y1)
    for line, value, place in zip(panel.lines, last, places, strict=True):
        name = f"{line.name}  {panel.written(value)}"
        text = ax.text(1.015, (place - box.y0) / box.height, name, transform=ax.transAxes)
        text.set(color=line.colour, va="center", fontsize=10, parse_math=False)


def spread(wanted: Doubles, gap: float, low: float, high: float) -> Doubles:
    """Move positions on a line as little as possible so that they are `gap` apart.

    Minimises Σ (position - wanted)², in the order of the wanted positions. Without the gaps that
    is isotonic regression, solved by pooling neighbours that violate the order (Barlow et al.,
    "Statistical Inference under Order Restrictions", 1972).

    Parameters
    ----------
    wanted : ndarray, (k,)
    gap : float
    low, high : float
        All are between these; if there is too little room, they go beyond `high`.

    Returns
    -------
    ndarray, (k,)
    """
    order = np.argsort(wanted, kind="stable")
    steps = gap * np.arange(len(wanted))  # (k,)
    pools: list[tuple[float, int]] = []  # mean and number
    for value in wanted[order] - steps:
        mean, number = float(value), 1
        while pools and pools[-1][0] > mean:
            other, more = pools.pop()
            mean = (mean * number + other * more) / (number + more)
            number += more
        pools.append((mean, number))
    flat = np.repeat([mean for mean, _ in pools], [number for _, number in pools])  # (k,)
    room = max(low, high - gap * (len(wanted) - 1))
    result = np.empty(len(wanted))
    result[order] = np.clip(flat, low, room) + steps
    return result
