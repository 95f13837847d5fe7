"""The numbers to reproduce, with the digits they were given with.

What the course printed, and what others computed for the cases it did not print.
"""

from collections.abc import Mapping
from typing import NamedTuple

SIZE = 306_996  # bytes of the text
SHA256 = "fca7572af9206e6abb75483c5dbead770385b18f62c024e190a61d0dd4166a0c"

TOKENS = 60_996
VOCABULARY = 5_778
KING = 2_745  # its id
OPENING = "o for a muse of fire . that would ascend the brightest heaven of invention"
FREQUENT = {".": 9_630, "the": 1_521, "and": 1_394, "i": 1_257, "to": 1_159, "of": 1_093}


class Era(NamedTuple):
    """What was taught for some years."""

    years: str
    batching: str  # A, B or C: see `batches`
    extra_term: bool  # in the cost
    gradient: str  # the one that was taught
    initial: str  # cost of four examples, parameters drawn with seed 1
    costs: Mapping[str, Mapping[int, str]]  # by gradient, at iterations


def _every_tenth(costs: str) -> dict[int, str]:
    return {10 * n: cost for n, cost in enumerate(costs.split(), start=1)}


ERAS = (
    Era(
        "2020",
        batching="A",
        extra_term=True,
        gradient="mistaken",
        initial="9.9560",
        costs={
            "mistaken": {10: "0.789141", 150: "0.009566"},
            "right": {10: "0.530930", 150: "0.007838"},
        },
    ),
    Era(
        "2021",
        batching="A",
        extra_term=False,
        gradient="mistaken",
        initial="8.9542",
        costs={
            "mistaken": {10: "0.435713", 150: "0.004789"},
            "right": {10: "0.283755", 150: "0.003923"},
        },
    ),
    Era(
        "2022 to mid-2023",
        batching="B",
        extra_term=False,
        gradient="mistaken",
        initial="8.9542",
        costs={
            "mistaken": _every_tenth(
                "11.714748 3.788280 9.179923 1.747809 8.706968 10.182652 7.258762 10.214489 "
                "9.311061 10.103939 5.582018 4.330974 9.436612 6.875775 2.874090"
            ),
            "right": {10: "11.809219", 150: "2.070231"},
        },
    ),
    Era(
        "current",
        batching="C",
        extra_term=False,
        gradient="right",
        initial="10.5788",
        costs={
            "right": _every_tenth(
                "9.686791 10.297529 10.051127 9.685962 9.369307 9.400293 9.060542 9.054266 "
                "8.765818 8.516531 8.708745 8.660616 8.544338 8.454268 8.475693"
            ),
            "mistaken": {10: "9.631363", 150: "8.096897"},
        },
    ),
)


class Longer(NamedTuple):
    """A longer run, with batching C: the mean cost of its last iterations."""

    start: str  # "course": as drawn there; "centred": weights within 0.2 of 0, biases 0
    rate: float
    gradient: str
    cost: str
    dead: str = ""  # units that fired on no example of the last iterations


LONGER_ITERATIONS, LONGER_MEAN_OF = 460, 60
LONGER = (
    Longer("course", 0.03, "mistaken", "8.274"),
    Longer("course", 0.03, "right", "7.067"),
    Longer("centred", 1.0, "mistaken", "6.507", dead="50 of 50"),
    Longer("centred", 1.0, "right", "5.996"),
)


# The smallest network of the course: five words, three units, one example.
EXAMPLE_CONTEXT = (0, 1, 3, 3)  # x = 0.25, 0.25, 0, 0.5, 0
EXAMPLE_WORD = 2
EXAMPLE_W1 = (  # (N, V)
    (0.41687358, 0.08854191, -0.23495225, 0.28320538, 0.41800106),
    (0.32735501, 0.22795148, -0.23951958, 0.4117634, -0.23924344),
    (0.26637602, -0.23846886, -0.37770863, -0.11399446, 0.34008124),
)
EXAMPLE_B1 = (0.09688219, 0.29239497, -0.27364426)
EXAMPLE_W2 = (  # (V, N)
    (-0.22182064, -0.43008631, 0.13310965),
    (0.08476603, 0.08123194, 0.1772054),
    (0.1871551, -0.06107263, -0.1790735),
    (0.07055222, -0.02015138, 0.36107434),
    (0.33480474, -0.39423389, -0.43959196),
)
EXAMPLE_B2 = (0.0352008, -0.36393384, -0.12775555, -0.34802326, -0.07017815)
EXAMPLE = {
    "cost": "1.465015",
    "z1": "0.3648 0.6371 -0.3237",
    "l1": "-0.0859 -0.1031 0.1705",
    "db1, mistaken": "0.0000 0.0000 0.1705",
    "db1, right": "-0.0859 -0.1031 0.0000",
    "db1, numeric": "-0.0859 -0.1031 0.0000",
}
