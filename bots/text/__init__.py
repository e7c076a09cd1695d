"""Reads a model's Markdown for all platforms: its blocks, what stands in them, and how they go on pages."""
