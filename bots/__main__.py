"""`python -m bots` is `bobbin`."""

from bots.cli import main

main()
