"""What every process of the pipeline runs on: connections, logs, metrics, signs of life."""
