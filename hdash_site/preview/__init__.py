"""The preview: watches what the site is made from, builds it again, and shows it in open tabs."""
