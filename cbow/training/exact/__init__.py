"""Training under the exact softmax: the mathematics of `cbow.network`, in parallel and in tiles."""
