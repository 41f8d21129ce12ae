"""The workbench in a browser: the same logic as the modules for 3D Slicer, behind trame-slicer."""
