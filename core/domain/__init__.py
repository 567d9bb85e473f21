"""What flows through the pipeline: frozen records, and pure functions on them."""
