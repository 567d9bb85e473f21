"""The sound itself: decoded, drawn, listened to for speech, planned into pieces, changed and measured."""
