"""Local stand-ins for the chat platforms, to try the bot with and to test the real adapters against."""
