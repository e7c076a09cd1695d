"""Bobbin itself, independent of any platform: threads, turns, presets, and the worker that sees a turn through."""
