"""Translation of texts: Slicer's where there is one, else the text itself.

``_("{name} is done").format(name=...)``: the text is looked up before it is filled in.
"""

from __future__ import annotations

import sys

try:
    if "slicer" not in sys.modules:  # no application; a mere look would load all of VTK where slicer-core is installed
        raise ImportError
    # Not wrapped: Slicer looks at the caller's file to know the context of a text.
    from slicer.i18n import tr as _
except ImportError:  # slicer-core and browsers have no translations

    def _(text: str) -> str:
        """The text as it is."""
        return text


__all__ = ["_"]
