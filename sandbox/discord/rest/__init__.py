"""The REST routes, one module a resource (https://discord.com/developers/docs/reference)."""

from sandbox.discord.rest import applications, channels, guilds, interactions, messages, threads, webhooks
from sandbox.discord.rest.door import Route

ROUTES: tuple[Route, ...] = (
    *applications.ROUTES,
    *channels.ROUTES,
    *guilds.ROUTES,
    *interactions.ROUTES,
    *messages.ROUTES,
    *threads.ROUTES,
    *webhooks.ROUTES,
)
OPEN_TO_ALL = ("GET /gateway", *interactions.OPEN_TO_ALL, *webhooks.OPEN_TO_ALL)  # the token in the path is enough
