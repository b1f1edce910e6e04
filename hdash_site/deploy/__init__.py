"""From the finished artifacts to a mirror of them: `plan` decides, one module a mirror does it."""
