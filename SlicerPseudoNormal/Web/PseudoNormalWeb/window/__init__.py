"""One browser tab: its process, its scene, its page."""
