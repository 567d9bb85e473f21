"""Fine-tuning: a dataset version and a base model become a text model of the registry.

`settings.py` says what may be chosen, `run.py` tells the story, `watching.py` turns what the trainer
says into progress and curves, `registry.py` brings the finished model home.
"""
