"""Two tiny articles."""

from service.bench.texts import Text

TEXTS = [
    Text("a", "The mayor said it had rained. This plan is a disgrace.", 2),
    Text("b", "Trains stopped at noon. Officials claimed nobody was hurt. We must act.", 3),
]
