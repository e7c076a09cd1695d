"""What Bobbin is, whatever it talks to: threads, turns, presets, and who sees a turn to its end."""
