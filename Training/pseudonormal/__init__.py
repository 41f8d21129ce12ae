"""PseudoNormal's engine: from a scan to its pseudo-normal, difference map, lesion mask and report."""

__version__ = "0.1.0"
