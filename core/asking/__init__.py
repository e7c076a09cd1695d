"""Decides which token asks the AI service, and when: limits, a fair queue, the circuit breaker, patience. No HTTP here."""
