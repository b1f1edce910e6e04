"""How fast and how large a build is, as ratios to floors measured in the same run."""
