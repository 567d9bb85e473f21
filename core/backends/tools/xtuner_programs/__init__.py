"""Small programs that run inside XTuner's environment; they import nothing of ours, and we never import them."""
