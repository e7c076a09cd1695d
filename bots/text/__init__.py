"""What a model's Markdown needs before any chat platform can show it: blocks, pages, tables, and nothing that bites."""
