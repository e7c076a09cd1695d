"""The schema's history; run by core.storage.migrate."""
