"""A trained model and its file."""

from cbow.model.model import Model, load, load_vectors

__all__ = ["Model", "load", "load_vectors"]
