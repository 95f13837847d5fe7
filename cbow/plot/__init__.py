"""Pictures: numbers in, the bytes of a PNG, SVG or PDF file out. Needs matplotlib.

The same numbers give the same bytes: no time, no version and no setting of the user's own
matplotlib gets into a picture, and none of its global settings is left changed.
"""
