"""What reports on paper and on screens share: a page that loads nothing, its style, and tables."""
