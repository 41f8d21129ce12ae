"""What the page is put together from: one thing to do each, presentation only."""
