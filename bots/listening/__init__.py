"""Hears a platform's people: `router` hands what they do to core, `catch_up` reads what was missed, `mark` how far."""
