"""Pure rules: cron, heartbeat deadlines, maintenance windows, histograms, derived ids."""
