"""The colours can be told apart, whoever looks."""

import math
from itertools import combinations

import pytest

from etl_visualize._theme import THEMES, Theme

# How colours look to people without one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1).
VISIONS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Colour = tuple[float, float, float]


def _linear(colour: str) -> Colour:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return red, green, blue


def _seen(colour: str, vision: str) -> Colour:
    """Give a colour in Oklab, as somebody sees it: there, equal distances look equal."""
    red, green, blue = (
        min(1, max(0, sum(weight * part for weight, part in zip(row, _linear(colour), strict=True))))
        for row in VISIONS[vision]
    )
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _contrast(one: str, other: str) -> float:
    """Give the ratio of WCAG 2."""
    dark, bright = sorted(0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2] for c in (_linear(one), _linear(other)))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_series_are_told_apart_by_every_kind_of_vision(theme: Theme, vision: str) -> None:
    """The nearest two of eight are far from equal, the first four farther."""
    for first, distance in ((4, 0.12), (8, 0.075)):
        colours = [_seen(colour, vision) for colour in theme.series[:first]]
        assert min(math.dist(one, other) for one, other in combinations(colours, 2)) > distance


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_marks_and_words_stand_out_from_the_card(theme: Theme) -> None:
    """WCAG asks 3 for graphics and 4.5 for words."""
    assert min(_contrast(colour, theme.card) for colour in theme.series) >= 3
    assert min(_contrast(colour, theme.card) for colour in (theme.text, theme.muted)) >= 4.5
