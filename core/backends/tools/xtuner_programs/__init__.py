"""Small programs that run inside XTuner's environment; of ours they import only each other."""
