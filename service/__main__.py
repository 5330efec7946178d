"""``python -m service`` is the command ``claimstream``."""

from service.cli import main

main()
