"""A picture as one HTML page that loads nothing and runs no script."""

from __future__ import annotations

from html import escape

from tscale_graph.drawing.picture import Picture
from tscale_graph.drawing.svg import STYLE, placed, svg

_WIDE, _NARROW, _MARGIN = 1180, 358, 16
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
{style}body {{ margin: 0; padding: {margin}px; background: #fff }}
.tscale {{ display: block; margin: 0 auto; max-width: 100%; height: auto }}
@media (prefers-color-scheme: dark) {{ body {{ background: #14171d }} }}
{choice}</style>
</head>
<body>
{pictures}</body>
</html>
"""


def to_html(drawn: Picture) -> str:
    """The page: a wide picture, and one below the other on a screen too narrow for that."""
    wide, narrow = placed(drawn, room=_WIDE), placed(drawn, room=_NARROW, tight=True)
    pictures, choice = svg(wide, drawn.title), ""
    if wide.width > _NARROW:
        pictures = svg(wide, drawn.title, name="tscale wide")
        pictures += svg(narrow, drawn.title, name="tscale narrow")
        needed = wide.width + 2 + 2 * _MARGIN
        choice = (
            f"@media (min-width: {needed}px) {{ .narrow {{ display: none }} }}\n"
            f"@media not all and (min-width: {needed}px) {{ .wide {{ display: none }} }}\n"
        )
    return _PAGE.format(
        title=escape(drawn.title), style=STYLE, margin=_MARGIN, choice=choice, pictures=pictures
    )
