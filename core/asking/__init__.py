"""Whom to ask and when: tokens and their limits, a fair queue, the circuit breaker, patience. No HTTP here."""
