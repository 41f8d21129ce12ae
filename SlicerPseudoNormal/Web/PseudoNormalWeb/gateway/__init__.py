"""The one address that the user opens: windows, access, the engine that they share."""
