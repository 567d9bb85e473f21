"""What we do: one room per stage, all of one shape, none imports another."""
