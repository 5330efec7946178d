"""A web page that follows the labelled topic: who says what in each article, sentence by sentence.

The articles' way through it: `following` reads the topic, `checking` refuses what contradicts
itself, `live` holds what came (`store`) and tells the open pages, `server` answers them.
"""
