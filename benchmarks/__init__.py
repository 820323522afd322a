"""What routing costs and what pooling saves, as ratios in one run."""
