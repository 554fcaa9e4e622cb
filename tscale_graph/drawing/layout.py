"""Where everything in a picture goes: boxes within boxes, and the lines between steps.

The same for a terminal, in characters, and for SVG, in pixels: `Measures` tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tscale_graph.drawing.lanes import Rail, rails
from tscale_graph.drawing.order import rows
from tscale_graph.drawing.picture import Edge, Picture, Step
from tscale_graph.drawing.routing import Row, line
from tscale_graph.drawing.shapes import Kind, Layout, Measures, Shape
from tscale_graph.search_trees.labels import first_words


def layout(drawn: Picture, measures: Measures, *, room: int) -> Layout:
    """A picture laid out from top to bottom.

    Steps that follow the same one stand side by side where there is room for that, else one below
    the other. A picture whose words take more than the room becomes wider than it.

    Args:
        drawn: the picture.
        measures: how large things are.
        room: how wide it should be at most.
    """
    return _box(drawn, measures, room)


def _box(drawn: Picture, measures: Measures, room: int) -> Layout:
    if not drawn.steps:
        return _words("model", drawn.title, "", measures, room)
    names = [step.name for step in drawn.steps]
    steps = {step.name: step for step in drawn.steps}
    abreast = rows(names, [(edge.source, edge.target) for edge in drawn.edges])
    below = [[name] for row in abreast for name in row]
    inner = room - 2 * measures.side
    flow = _flow([[steps[name] for name in row] for row in abreast], drawn.edges, measures, inner)
    if flow.width > inner and len(below) > len(abreast):
        flow = _flow([[steps[name] for name in row] for row in below], drawn.edges, measures, inner)
    return _framed("technique", drawn.title, "", flow, measures, room)


def _step(step: Step, measures: Measures, room: int) -> Layout:
    if not step.inside:
        kind: Kind = "terminal" if step.is_end else "step"
        return _words(kind, step.label, step.note, measures, room)
    inner = room - 2 * measures.side
    inside = [_box(drawn, measures, inner) for drawn in step.inside]
    return _framed("asks", step.label, step.note, _abreast(inside, measures, inner), measures, room)


def _words(kind: Kind, title: str, note: str, measures: Measures, room: int) -> Layout:
    title, note, wide = _fitting(title, note, measures, room - 2 * measures.margin)
    width = wide + 2 * measures.margin
    shape = Shape(kind, 0, 0, width, measures.step, title, note)
    return Layout(width, measures.step, (shape,))


def _framed(
    kind: Kind, title: str, note: str, inside: Layout, measures: Measures, room: int
) -> Layout:
    """A box around something, with a title."""
    edge = measures.side + measures.margin
    title, note, wide = _fitting(title, note, measures, max(room, inside.width) - 2 * edge)
    inner = max(inside.width, wide + 2 * measures.margin)
    width, height = inner + 2 * measures.side, inside.height + measures.head + measures.foot
    shape = Shape(kind, 0, 0, width, height, title, note)
    moved = inside.moved(measures.side + (inner - inside.width) // 2, measures.head)
    return Layout(width, height, (shape, *moved.shapes), moved.lines)


def _fitting(title: str, note: str, measures: Measures, room: int) -> tuple[str, str, int]:
    """A title and a note, shortened to the room, and how wide they are together."""
    title, note = first_words(title), first_words(note) if note else ""

    def wide() -> int:
        return measures.width_of(f"{title} · {note}" if note else title)

    while wide() > room and len(note) > _FEWEST:
        note = first_words(note, width=len(note) - 1)
    while wide() > room and len(title) > _FEWEST:
        title = first_words(title, width=len(title) - 1)
    return title, note, wide()


_FEWEST = 18
"""Characters that are shown of a title or a note, however little room there is."""


def _abreast(parts: Sequence[Layout], measures: Measures, room: int) -> Layout:
    """Things side by side, or one below the other where there is no room for that."""
    width = sum(part.width for part in parts) + measures.apart * (len(parts) - 1)
    if width <= room or len(parts) == 1:
        height, x, moved = max(part.height for part in parts), 0, list[Layout]()
        for part in parts:
            moved.append(part.moved(x, 0))
            x += part.width + measures.apart
        return _joined(width, height, moved)
    width, y, moved = max(part.width for part in parts), 0, list[Layout]()
    for part in parts:
        moved.append(part.moved((width - part.width) // 2, y))
        y += part.height + measures.gap
    return _joined(width, y - measures.gap, moved)


def _flow(
    steps: Sequence[Sequence[Step]], edges: Sequence[Edge], measures: Measures, room: int
) -> Layout:
    """Rows of steps, and the lines between them."""
    place = {step.name: at for at, row in enumerate(steps) for step in row}
    beside = rails(edges, place)
    left, right = _lanes(beside, "left", measures), _lanes(beside, "right", measures)
    parts = [[_step(step, measures, room - left - right) for step in row] for row in steps]
    width = max(_room_of(row, own, edges, measures) for row, own in zip(steps, parts, strict=True))
    width += 1 - width % 2  # an odd number of characters has a middle
    middle, y = left + width // 2, 0
    placed: list[Row] = []
    for at, (row, own) in enumerate(zip(steps, parts, strict=True)):
        y += measures.gap if at else 0
        y += measures.turn if _turns(at, steps, edges, beside) else 0
        laid = _side_by_side([step.name for step in row], own, middle, y, measures)
        placed.append(laid)
        y = laid.bottom
        leaves_below = len(row) > 1 and any(edge.source in laid.steps for edge in beside)
        y += measures.turn if leaves_below else 0
    lines = tuple(
        line(edge, placed, place, beside.get(edge), (left, left + width), measures)
        for edge in edges
    )
    shapes = tuple(shape for row in placed for part in row.parts for shape in part.shapes)
    inner = tuple(one for row in placed for part in row.parts for one in part.lines)
    return Layout(left + width + right, y, shapes, (*lines, *inner))


def _turns(
    at: int, steps: Sequence[Sequence[Step]], edges: Sequence[Edge], beside: Mapping[Edge, Rail]
) -> bool:
    """Whether lines that enter a row from above have to turn."""
    names = {step.name for step in steps[at]}
    entering = [edge for edge in edges if edge.target in names]
    if len(names) > 1:
        return bool(entering)
    return at > 0 and len(steps[at - 1]) > 1 and any(edge not in beside for edge in entering)


def _side_by_side(
    names: Sequence[str], parts: Sequence[Layout], middle: int, y: int, measures: Measures
) -> Row:
    """A row of steps about the middle, tops in line."""
    whole = sum(part.width for part in parts) + measures.apart * (len(parts) - 1)
    x, moved = middle - whole // 2, list[Layout]()
    for part in parts:
        moved.append(part.moved(x, y))
        x += part.width + measures.apart
    outer = {name: part.shapes[0] for name, part in zip(names, moved, strict=True)}
    return Row(outer, tuple(moved), middle)


def _room_of(
    row: Sequence[Step], parts: Sequence[Layout], edges: Sequence[Edge], measures: Measures
) -> int:
    """How wide a row is, with what is written beside its lines."""
    width = sum(part.width for part in parts) + measures.apart * (len(parts) - 1)
    words = [edge.label for edge in edges if edge.label and edge.source in {s.name for s in row}]
    widest = max((measures.width_of(label) for label in words), default=0)
    return width + (2 * (widest + 2 * measures.margin) if widest else 0)


def _lanes(beside: dict[Edge, Rail], side: str, measures: Measures) -> int:
    """How much room the lines of a side take."""
    return measures.lane * len({rail.lane for rail in beside.values() if rail.side == side})


def _joined(width: int, height: int, parts: Sequence[Layout]) -> Layout:
    shapes = tuple(shape for part in parts for shape in part.shapes)
    return replace(
        Layout(width, height, shapes), lines=tuple(one for part in parts for one in part.lines)
    )
