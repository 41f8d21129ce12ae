"""The case store's doors: what leaves it and what comes in, whatever the layout."""

from __future__ import annotations

from pseudonormal.store.exchange_bids import export_bids
from pseudonormal.store.exchange_in import import_folder
from pseudonormal.store.exchange_out import export_cases, export_datalist

__all__ = ["export_bids", "export_cases", "export_datalist", "import_folder"]
