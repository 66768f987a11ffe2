"""What the browser talks to: the door, the pages, a small JSON API and a stream."""
