"""Rules over a snapshot, by topic; each yields findings of the kinds that it is named after."""
