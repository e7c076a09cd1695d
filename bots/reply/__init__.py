"""Shows a turn in the messages of a thread, on any platform: `wanted` says what, `delivery` does it."""
