"""Fine-tuning: a dataset version and a base model become a text model of the registry.

`settings.py` says what may be chosen, `preflight.py` what stands in the way of it and `estimate.py` what it will
need; `run.py` tells the story, `watching.py` turns what the trainer says into progress and curves, `registry.py`
brings the finished model home, `comparison.py` sets two runs side by side.
"""
