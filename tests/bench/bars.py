# SPDX-License-Identifier: MIT
"""The paper's stacked bars as SVG."""

LEFT, WIDTH, PAIR, HEIGHT, TOP = 60, 46, 150, 360, 30
COLOURS = {"idle": "#dddddd", "user": "#3182bd", "user stall": "#9ecae1", "kernel": "#31a354", "kernel stall": "#a1d99b", "monitor": "#e6550d",
           "monitor stall": "#fdae6b"}


def box(x, y, wide, tall, colour):
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colour}"/>'


def text(x, y, words, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


def bar(x, bottom, scale, values):
    """Parts from the bottom up; the sum on top."""
    drawn, y = [], bottom
    for part, value in values.items():
        y -= value * scale
        drawn.append(box(x, y, WIDTH, value * scale, COLOURS[part]))
    return drawn + [text(x + WIDTH / 2, y - 4, f"{sum(values.values()):.1f}", "middle")]


def draw(results):
    """results: {workload: {side: {part: % of the bare time}}}."""
    most = max(sum(values.values()) for sides in results.values() for values in sides.values())
    scale, bottom = HEIGHT / most, TOP + HEIGHT
    drawn = []
    for index, (name, sides) in enumerate(results.items()):
        x = LEFT + PAIR * index
        for offset, (side, values) in enumerate(sides.items()):
            at = x + offset * (WIDTH + 8)
            drawn += bar(at, bottom, scale, values) + [text(at + WIDTH / 2, bottom + 14, side, "middle")]
        drawn.append(text(x + WIDTH + 4, bottom + 30, name, "middle"))
    right = LEFT + PAIR * len(results)
    for line, (part, colour) in enumerate(reversed(COLOURS.items())):
        drawn += [box(right, TOP + 20 * line, 12, 12, colour), text(right + 18, TOP + 10 + 20 * line, part)]
    drawn.append(text(LEFT, TOP - 14, "Simulated time, % of the bare kernel's"))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{right + 120}" height="{bottom + 44}" font-family="sans-serif" font-size="11">'
            f'<rect width="100%" height="100%" fill="white"/>' + "\n".join(drawn) + "</svg>\n")
