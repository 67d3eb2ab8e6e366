"""Results, pings and statistics of one monitor."""
