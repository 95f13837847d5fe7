"""What is told of an epoch: one declaration of a figure serves the report and all that shows it."""

import dataclasses
import json
from types import SimpleNamespace

from cbow.training import checkpoint
from cbow.training.examples import Tally
from cbow.training.observer import Epoch, figure


@dataclasses.dataclass(frozen=True)
class More(Epoch):
    """An epoch with one more figure."""

    sharpness: float | None = figure(None, measured=True, line="sharpness {0.sharpness:.1f}")


MEASURES = SimpleNamespace(
    steps=3, active=0.5, dead=1, gradient_norms={"dW1": 2.0}, candidate_loss=None, sharpness=1.25
)


def epoch_of(kind):
    tally = Tally(tokens=9, heldout=2, subsampled=1, isolated=1, examples=5)
    return kind.of(MEASURES, tally, epoch=4, loss=2.0, heldout_loss=None, learning_rate=0.1)


def test_one_more_figure_is_measured_shown_written_and_read():
    epoch = epoch_of(More)
    assert epoch.line() == "loss 2.0000 nats per token, perplexity 7.4; sharpness 1.2"
    written = json.loads(json.dumps(epoch.to_dict()))
    assert written["sharpness"] == 1.25
    assert checkpoint.fits(written, checkpoint.fields_of(More))
    assert checkpoint.build(More, written) == epoch


def test_files_from_before_a_figure_have_its_default():
    written = epoch_of(Epoch).to_dict()
    assert checkpoint.fits(written, checkpoint.fields_of(More))
    assert checkpoint.build(More, written).sharpness is None
    assert not checkpoint.fits({**written, "sharpness": "x"}, checkpoint.fields_of(More))
    del written["loss"]
    assert not checkpoint.fits(written, checkpoint.fields_of(More))
