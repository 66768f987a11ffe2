"""What a pool tells of itself: events, tasks and messages."""
