"""What lasts from one run to the next: the tables (what we know) and the blobs (what we can make again)."""
