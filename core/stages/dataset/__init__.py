"""Dataset: utterances become conversations, frozen as a version that trainers can load."""
