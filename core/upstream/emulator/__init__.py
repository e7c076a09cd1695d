"""A stand-in for the AI service: to try Bobbin out without a token, and to test it against every misfortune."""

from core.upstream.emulator.answer import Request
from core.upstream.emulator.faults import FAULTS, Faults, UnknownFault, explain
from core.upstream.emulator.server import Emulator

__all__ = ["FAULTS", "Emulator", "Faults", "Request", "UnknownFault", "explain"]
