"""Where atlases come from: every source answers the same five questions (`crawl.Source`)."""
