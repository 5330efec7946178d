"""The command with two real workers: ``python -m tests.real_processes``."""

from service.cli import app

if __name__ == "__main__":
    app(["worker", "--processes", "2"])
