"""A stand-in for the AI service: to try Bobbin out without a token, and to test it against every misfortune."""

from sandbox.upstream.answer import Request
from sandbox.upstream.faults import FAULTS, Faults, UnknownFault, explain
from sandbox.upstream.server import Emulator

__all__ = ["FAULTS", "Emulator", "Faults", "Request", "UnknownFault", "explain"]
